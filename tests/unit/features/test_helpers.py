"""What the verifier says about a call, and what that says about the helper."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import ENOTSUPP
from bpfctl.features.helpers import NOISY, helper_name, judge_call, probe_all_helpers, probe_helpers
from bpfctl.features.prober import Prober
from bpfctl.features.programs import program_probes
from bpfctl.features.verdict import Answer, Verdict, available, not_available, unknown
from bpfctl.kernel.uapi import Cmd, ProgType
from bpfctl.kernel.uapi_helpers import HelperId
from tests.fakes.kernel import FakeKernel, memory
from tests.unit.features.kernels import vmlinux

if TYPE_CHECKING:
    from pathlib import Path

    from bpfctl.features.programs import ProgramProbe

PROBES = {probe.name: probe for probe in program_probes()}
HELPERS = [helper for helper in HelperId if helper]
YES, NO, UNKNOWN = Answer.AVAILABLE, Answer.NOT_AVAILABLE, Answer.UNKNOWN


@pytest.mark.parametrize(
    ("number", "log", "answer"),
    [
        pytest.param(0, b"", YES, id="loads"),
        pytest.param(errno.EACCES, b"R1 type=ctx expected=map_ptr", YES, id="arguments"),
        pytest.param(errno.EACCES, b"R2 !read_ok", YES, id="no-arguments"),
        pytest.param(
            errno.EINVAL, b"helper call might sleep in a non-sleepable prog", YES, id="sleeps"
        ),
        pytest.param(errno.EINVAL, b"0: call\nunknown func bpf_x#7", NO, id="until-6.9"),
        pytest.param(errno.EINVAL, b"invalid func unknown#999", NO, id="no-such-number"),
        pytest.param(
            errno.EINVAL, b"program of this type cannot use helper bpf_x#7", NO, id="since-6.10"
        ),
        pytest.param(
            ENOTSUPP, b"func bpf_x#7 supported only for fentry/fexit/fmod_ret programs", NO, id="ip"
        ),
        pytest.param(
            errno.EINVAL, b"helper call is not allowed in probe", UNKNOWN, id="some-targets-only"
        ),
        pytest.param(errno.EPERM, b"", UNKNOWN, id="denied"),
        pytest.param(errno.EPERM, b"words", UNKNOWN, id="denied-with-words"),
        pytest.param(errno.EINVAL, b"", UNKNOWN, id="without-a-word"),
    ],
)
def test_judge_call(number: int, log: bytes, answer: Answer) -> None:
    assert judge_call(number, log, targeted=True) is answer


def test_judge_call_without_a_target() -> None:
    """Where no target can be named, none allows it."""
    log = b"helper call is not allowed in probe"
    assert judge_call(errno.EINVAL, log, targeted=False) is NO
    assert judge_call(errno.EINVAL, b"R1 type=ctx expected=fp", targeted=False) is YES


def verifier(union: Any, size: int) -> int:
    """Take helpers of even numbers, and refuse the others as the verifier does."""
    del size
    helper = int.from_bytes(memory(union.insns, 16)[4:8], "little")
    words = b"R1 type=ctx expected=fp\0" if helper % 2 == 0 else b"unknown func x\0"
    memory(union.log_buf, union.log_size)[: len(words)] = words
    return -errno.EINVAL


@pytest.mark.parametrize("privileged", [True, False])
def test_a_no_counts_only_with_privileges(privileged: bool) -> None:
    with FakeKernel().on(Cmd.PROG_LOAD, verifier), Prober() as prober:
        prober.__dict__["privileged"] = privileged
        answers = probe_helpers(prober, PROBES["xdp"])
    odd = NO if privileged else UNKNOWN
    assert answers == {helper_name(helper): odd if helper % 2 else YES for helper in HELPERS}


def all_helpers(
    tmp_path: Path, *asked: tuple[ProgramProbe, Verdict], noisy: bool = False
) -> tuple[dict[ProgType, Any], FakeKernel]:
    path = tmp_path / "vmlinux"
    path.write_bytes(vmlinux())
    kernel = FakeKernel().on(Cmd.PROG_LOAD, verifier)
    with kernel, Prober(str(path)) as prober:
        prober.__dict__["privileged"] = True
        return probe_all_helpers(prober, asked, noisy=noisy), kernel


def test_the_first_combination_that_loads_is_asked(tmp_path: Path) -> None:
    found, kernel = all_helpers(
        tmp_path,
        (PROBES["fentry"], unknown("denied", errno.EPERM)),
        (PROBES["iter"], available()),
        (PROBES["tp_btf"], available()),
    )
    helpers = found[ProgType.TRACING]
    assert (helpers.probe.name, helpers.verdict) == ("iter", available())
    assert helpers.names == [helper_name(h) for h in HELPERS if h % 2 == 0 and h not in NOISY]
    assert helpers.unsure == []
    assert len(kernel.calls) == len(HELPERS) - len(NOISY)


def test_noisy_helpers_are_asked_about_on_demand(tmp_path: Path) -> None:
    found, kernel = all_helpers(tmp_path, (PROBES["xdp"], available()), noisy=True)
    assert found[ProgType.XDP].answers.keys() == {helper_name(helper) for helper in HELPERS}
    assert len(kernel.calls) == len(HELPERS)


@pytest.mark.parametrize(
    ("name", "verdict", "expected"),
    [
        ("lsm", unknown("denied", errno.EPERM), unknown("denied", errno.EPERM)),
        ("lirc_mode2", not_available("no", errno.EINVAL), not_available("no", errno.EINVAL)),
        ("struct_ops", available(), unknown("they depend on what the program is attached to")),
        ("freplace", available(), unknown("they depend on what the program is attached to")),
    ],
)
def test_types_that_cannot_be_asked(
    tmp_path: Path, name: str, verdict: Verdict, expected: Verdict
) -> None:
    found, kernel = all_helpers(tmp_path, (PROBES[name], verdict))
    helpers = found[PROBES[name].prog_type]
    assert (helpers.verdict, helpers.answers, kernel.calls) == (expected, {}, [])


def test_common_combinations_stand_for_their_type(tmp_path: Path) -> None:
    names = ("xdp/devmap", "xdp", "cgroup/bind4", "cgroup/connect4")
    found, _ = all_helpers(tmp_path, *((PROBES[name], available()) for name in names))
    assert [helpers.probe.name for helpers in found.values()] == ["xdp", "cgroup/connect4"]
