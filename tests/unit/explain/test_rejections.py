"""What is said of the programs in tests/bpf/verifier_*.bpf.c, from the logs of five kernels."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from bpfctl.commands.errors_view import as_text
from bpfctl.commands.rejection_view import LINES

from bpfctl.elf.reader import read_object
from bpfctl.errors import VerifierError
from bpfctl.explain.rejection import explain_rejection
from bpfctl.explain.verifier_messages import rules
from bpfctl.loader.attach_target import Target
from bpfctl.loader.link_code import link
from bpfctl.loader.prepare import Prepared, locate_failure
from bpfctl.loader.relocs import referenced_maps
from tests.tools.verifier_logs import DATA, ENDINGS, KERNELS, Case, cases, provoked, read, said

if TYPE_CHECKING:
    from bpfctl.elf.spec import ObjectSpec, ProgramSpec
    from tests.tools.verifier_logs import Outcome


@cache
def programs() -> dict[str, tuple[ObjectSpec, ProgramSpec]]:
    specs = [read_object(str(path)) for path in sorted(DATA.glob("verifier_*.bpf.o"))]
    return {program.name: (spec, program) for spec in specs for program in spec.programs}


def explained(name: str, logged: Outcome) -> VerifierError:
    """Do what a load does after the kernel wrote this log. Its code is not fitted to a kernel."""
    spec, program = programs()[name]
    linked = link(spec, program.function, lambda function: function.code)
    ready = Prepared(program, linked, referenced_maps(linked, spec.maps), Target(), {})
    error = VerifierError(logged.number, "load", logged.log, missing_bytes=logged.missing)
    locate_failure(error, spec, ready)
    return explain_rejection(error)


@pytest.mark.parametrize("kernel", KERNELS)
def test_each_program_is_refused_for_the_reason_its_author_has_to_know(kernel: str) -> None:
    wanted, logs = cases(kernel), read(kernel)
    found = {
        name: Case(one.result)
        if one.result in ENDINGS
        else said(explained(name, one), wanted[name])
        for name, one in logs.items()
    }
    assert {name: one for name, one in found.items() if one != wanted[name]} == {}


# What no program of ours is refused for, and why.
UNPROVOKED = {
    "verifier-back-edge": "loops of those without CAP_BPF, who may not load here",
    "verifier-internal": "a fault of the kernel",
    "verifier-jit-needed": "kernels without a JIT compiler",
    "verifier-kptr": "clang 14 loses the tags of such pointers",
    "verifier-user-memory": "kernels whose types have tags of address spaces",
}


def test_each_rule_has_a_program_that_breaks_it() -> None:
    assert {rule.code for rule in rules()} - provoked() == set(UNPROVOKED)


def test_an_unknown_message_has_its_source_line_all_the_same() -> None:
    logged = read("6.12")["null_map_value"]
    known, new = "R0 invalid mem access 'map_value_or_null'", "R0 is what nobody has seen yet"
    error = explained("null_map_value", logged._replace(log=logged.log.replace(known, new)))
    assert (error.code, error.message) == ("verifier-rejected", f"rejected: {new}")
    assert (error.insn, error.source) == (7, "return (int)*value;")


def test_the_report_of_linux_7_3_is_kept_word_by_word() -> None:
    logged = read("7.3")["packet_unchecked"]
    error = explained("packet_unchecked", logged)
    assert error.rejection is not None
    assert error.rejection.kernel is not None
    before, report, after = logged.log.partition(error.rejection.kernel.text)
    assert report.startswith("Verification failed: Memory Safety: Access outside bounds\n\nReason:")
    assert "Verification failed" not in before
    assert after.strip().startswith("processed 2 insns")


@pytest.mark.parametrize("kernel", ["5.10", "7.3"])
def test_half_a_log_is_explained_as_far_as_it_goes(kernel: str) -> None:
    longest = 0
    for name, logged in read(kernel).items():
        lines = logged.log.splitlines(keepends=True)
        for at in range(1, len(lines), 7):
            for part in (lines[:at], lines[at:]):
                error = explained(name, logged._replace(log="".join(part), missing=1))
                error.log_path = "/run/bpfctl/program.log"
                longest = max(longest, len(list(as_text(error))))
    assert longest <= LINES
