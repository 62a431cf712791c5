"""What people are told when the verifier refuses their program, on the running kernel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from bpfctl.commands.errors_view import as_json, as_text
from bpfctl.commands.rejection_view import LINES

from bpfctl.elf.reader import read_object
from bpfctl.errors import VerifierError
from bpfctl.linux.version import kernel_version
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.loader.verifier_log import failing_insn
from bpfctl.objects.btf import KERNEL_FILE
from tests.kernel import needs
from tests.kernel.rejections import load_all, refusal
from tests.tools.verifier_logs import DATA, OTHER, Case, cases, outcome, said

if TYPE_CHECKING:
    from bpfctl.errors import BpfctlError

DENIED = "eperm-trampoline-refused"
LOG_PATH = "/run/bpfctl/program.log"  # long logs go to a file, and its name is all that is shown
SHORT = 256  # bytes of a log that is longer
KERNEL = ".".join(map(str, kernel_version()[:2]))
WANTED = cases(KERNEL)


class Seen(NamedTuple):
    """What a person sees, and a program."""

    case: Case
    screen: tuple[str, ...] = ()
    data: dict[str, Any] | None = None


def look(name: str, error: BpfctlError | None) -> Seen:
    if not isinstance(error, VerifierError):
        ending = outcome(error).result
        return Seen(Case(error.code if error is not None and ending == OTHER else ending))
    error.log_path = LOG_PATH
    data = as_json(error)
    return Seen(said(error, WANTED[name]), tuple(as_text(error)), data)


@pytest.fixture(scope="module")
def seen() -> dict[str, Seen]:
    """Load all programs, once for all tests."""
    return {name: one for name, one in load_all(look).items() if one.case.code != DENIED}


def test_each_program_is_refused_for_the_reason_its_author_has_to_know(
    seen: dict[str, Seen],
) -> None:
    wrong = {name: one.case for name, one in seen.items() if one.case != WANTED[name]}
    assert wrong == {}


def test_a_screen_is_enough(seen: dict[str, Seen]) -> None:
    assert {name: one.screen for name, one in seen.items() if len(one.screen) > LINES} == {}


def test_what_programs_read_has_all_fields(seen: dict[str, Seen]) -> None:
    read = {name: json.loads(json.dumps(one.data)) for name, one in seen.items() if one.data}
    assert {name: data["program"] for name, data in read.items()} == {name: name for name in read}
    data = read["null_map_value"]
    assert data["origin"].pop("text").startswith("bpf_map_lookup_elem(values) returns ")
    assert data["registers"]["R0"].startswith("map_value_or_null(id=1,")
    wanted = {
        "code": "verifier-null-check-missing",
        "message": "program null_map_value: rejected: R0 may be NULL here",
        "errno": "EACCES",
        "insn": 7,
        "file": "verifier_memory.bpf.c",
        "source": "return (int)*value;",
        "register": "R0",
        "kernel_message": "R0 invalid mem access 'map_value_or_null'",
        "log_path": LOG_PATH,
        "log_truncated": False,
        "log_missing_bytes": 0,
    }
    assert {key: data[key] for key in wanted} == wanted
    assert data["origin"]["insn"] == 6
    assert data["line"] == data["origin"]["line"] + 2


def test_who_may_call_a_function_is_said(seen: dict[str, Seen]) -> None:
    told = seen["helper_elsewhere"]
    assert told.data is not None
    assert {"xdp", "tc", "lwt_xmit"} <= set(told.data["program_types"])
    assert "raw_tp" not in told.data["program_types"]
    assert any(line.startswith("  may use it xdp, ") for line in told.screen)


@pytest.mark.parametrize(
    "fixed", [pytest.param(False, id="end"), pytest.param(True, id="beginning")]
)
def test_a_cut_log_hides_no_reason_and_misleads_nobody(fixed: bool) -> None:
    spec, kernel = read_object(str(DATA / "verifier_memory.bpf.o")), KernelBtf(KERNEL_FILE)
    error = refusal(spec, "null_other_tested", kernel, log_size=SHORT, log_fixed=fixed)
    assert isinstance(error, VerifierError)
    data = as_json(error)
    assert error.code == "verifier-null-check-missing"
    assert (data["log_truncated"], data["origin"]) == (True, None), "its origin is not in the log"
    assert any("truncated: " in line for line in as_text(error))
    assert len(error.log) < SHORT
    if error.kept_beginning or failing_insn(error.log) is None:
        # Where the log ends is not where the verifier stopped.
        assert (data["insn"], data["line"], data["path"]) == (None, None, [])
    else:
        assert data["source"] == "return (int)*old;"


@needs.VERIFIER_REPORT
def test_the_words_of_the_kernel_come_through_unharmed(seen: dict[str, Seen]) -> None:
    data = seen["null_map_value"].data or {}
    report = data["kernel_report"]
    titles = [line for line in report.splitlines() if line.endswith(":") and line[0] != " "]
    assert report in data["log"]
    assert report.startswith("Verification failed: Register Type Safety: Invalid dereference\n")
    assert titles == ["Reason:", "At:", "Causal path:", "Suggestion:"]
    assert report.endswith("only on the non-NULL path.")
