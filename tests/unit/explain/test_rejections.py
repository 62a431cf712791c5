"""What is said of the programs in tests/bpf/verifier_*.bpf.c, from the logs of five kernels."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.errors import VerifierError
from bpfctl.explain.rejection import explain_rejection
from bpfctl.loader.attach_target import Target
from bpfctl.loader.link_code import link
from bpfctl.loader.prepare import Prepared, locate_failure
from bpfctl.loader.relocs import referenced_maps
from tests.tools.verifier_logs import DATA, ENDINGS, KERNELS, Case, cases, read, said

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
