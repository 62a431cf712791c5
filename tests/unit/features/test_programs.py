"""What a program that is loaded, or not, says about its type."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import ENOTSUPP
from bpfctl.features.prober import Prober
from bpfctl.features.programs import by_program_type, probe_program, program_probes
from bpfctl.features.verdict import Verdict, available, not_available, unknown
from bpfctl.kernel.uapi import AttachType, Cmd, ProgType
from tests.fakes.kernel import FakeKernel
from tests.unit.features.kernels import FUNCTIONS, vmlinux, with_log

if TYPE_CHECKING:
    from pathlib import Path

PROBES = {probe.name: probe for probe in program_probes()}
STATISTICS = "processed 0 insns (limit 1000000) max_states_per_insn 0\n"
MUST = "Tracing programs must provide btf_id\n" + STATISTICS


@pytest.fixture
def btf(tmp_path: Path) -> str:
    """Return a file of type information with all targets."""
    path = tmp_path / "vmlinux"
    path.write_bytes(vmlinux())
    return str(path)


def asked(name: str, kernel: FakeKernel, btf: str) -> Verdict:
    with kernel, Prober(btf) as prober:
        return probe_program(prober, PROBES[name])


def answers(number: int, log: str = "") -> FakeKernel:
    return FakeKernel().on(Cmd.PROG_LOAD, with_log(number, log) if log else -number)


@pytest.mark.parametrize(
    ("name", "number", "log", "answer"),
    [
        pytest.param("xdp", errno.EINVAL, "", False, id="unknown-type"),
        pytest.param("xdp", errno.EINVAL, STATISTICS, False, id="statistics-are-no-complaint"),
        pytest.param("xdp", errno.EINVAL, "At exit R0 = 0\n" + STATISTICS, True, id="complaint"),
        pytest.param("xdp", errno.E2BIG, "", False, id="a-field-it-does-not-know"),
        pytest.param("xdp", errno.EOPNOTSUPP, "", False, id="not-built"),
        pytest.param("xdp", ENOTSUPP, "", False, id="not-supported"),
        pytest.param("xdp", errno.EPERM, "", None, id="denied"),
        pytest.param("xdp", errno.EPERM, "words\n", None, id="denied-with-words"),
        pytest.param("xdp", errno.ENOMEM, "", None, id="no-memory"),
        pytest.param("xdp", errno.ENOSPC, "long\n", True, id="log-too-long"),
        pytest.param("fentry", errno.EPERM, "", None, id="trampoline-refused"),
        pytest.param("fsession", errno.EINVAL, STATISTICS, False, id="attach-type-unknown"),
        pytest.param("fentry.multi", errno.EINVAL, MUST, False, id="multi-asked-for-a-target"),
        pytest.param("freplace", errno.EINVAL, "Cannot replace kernel functions\n", True, id="ext"),
        pytest.param("freplace", errno.EINVAL, STATISTICS, False, id="no-ext"),
        pytest.param("freplace", errno.EPERM, "", None, id="ext-denied"),
        pytest.param("struct_ops", ENOTSUPP, "", True, id="struct-ops"),
        pytest.param("struct_ops", errno.EINVAL, "", False, id="no-struct-ops"),
        pytest.param("struct_ops", errno.EPERM, "", None, id="struct-ops-denied"),
    ],
)
def test_refusals(name: str, number: int, log: str, answer: bool | None, btf: str) -> None:
    verdict = asked(name, answers(number, log), btf)
    assert (verdict.available, verdict.since) == (answer, PROBES[name].since)
    assert bool(verdict.reason) is (answer is not True)
    assert verdict.denied is (answer is None and number == errno.EPERM)


def test_denied_without_a_log_is_before_verification(btf: str) -> None:
    reason = "the kernel answers EPERM before verification"
    assert asked("fentry", answers(errno.EPERM), btf) == unknown(reason, errno.EPERM, "5.5")


def test_a_program_that_loads_is_closed(btf: str) -> None:
    kernel = FakeKernel()
    kernel.on(Cmd.PROG_LOAD, kernel.new_fd)
    assert asked("xdp", kernel, btf) == available("4.8")


@pytest.mark.parametrize(
    ("name", "attach_type", "target"),
    [
        ("tp_btf", AttachType.TRACE_RAW_TP, 4),
        ("fentry", AttachType.TRACE_FENTRY, 5 + FUNCTIONS.index("bpf_fentry_test1")),
        ("iter", AttachType.TRACE_ITER, 5 + FUNCTIONS.index("bpf_iter_task")),
        ("lsm", AttachType.LSM_MAC, 5 + FUNCTIONS.index("bpf_lsm_file_open")),
        ("fentry.multi", AttachType.TRACE_FENTRY_MULTI, 0),
        ("freplace", 0, 1),
        ("xdp", AttachType.XDP, 0),
        ("syscall", 0, 0),
    ],
)
def test_request(name: str, attach_type: int, target: int, btf: str) -> None:
    kernel = answers(errno.EINVAL)
    asked(name, kernel, btf)
    (call,) = kernel.calls
    attr = call.attr
    assert (attr.prog_type, attr.insn_cnt) == (PROBES[name].prog_type, 2)
    assert (attr.expected_attach_type, attr.attach_btf_id) == (attach_type, target)
    assert attr.prog_flags == (16 if name == "syscall" else 0)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(("BPF_SK_SKB_VERDICT",), available("5.13"), id="knows-it"),
        pytest.param(
            ("BPF_SK_SKB_STREAM_VERDICT",),
            not_available("its list of attach types has no BPF_SK_SKB_VERDICT", since="5.13"),
            id="takes-any",
        ),
        pytest.param((), available("5.13"), id="no-list"),
    ],
)
def test_a_load_is_doubted(tmp_path: Path, known: tuple[str, ...], expected: Verdict) -> None:
    """No kernel looks at the attach type when it loads SK_SKB programs."""
    path = tmp_path / "vmlinux"
    path.write_bytes(vmlinux(*known))
    kernel = FakeKernel()
    kernel.on(Cmd.PROG_LOAD, kernel.new_fd)
    assert asked("sk_skb/verdict", kernel, str(path)) == expected
    assert asked("sk_skb", kernel, str(path)) == available("4.14")  # it has no attach type
    assert asked("sk_reuseport", kernel, str(path)) == available("4.19")  # nor had this one


def test_hooks_that_must_allow_return_1() -> None:
    ones = [name for name, probe in PROBES.items() if probe.returns]
    hooks = ("recvmsg", "getpeername", "getsockname")
    assert sorted(ones) == sorted(
        f"cgroup/{h}{tail}" for h in hooks for tail in ("4", "6", "_unix")
    )


def test_without_type_information_a_target_cannot_be_named(tmp_path: Path) -> None:
    nothing = FakeKernel()  # fails the test when it is asked
    verdict = asked("iter", nothing, str(tmp_path / "absent"))
    reason = "no type information of this kernel: a target cannot be named"
    assert verdict == unknown(reason, since="5.8")


def test_without_its_target_it_cannot_be_told(tmp_path: Path) -> None:
    from bpfctl.features.prober import storage_types

    path = tmp_path / "vmlinux"
    path.write_bytes(storage_types())
    verdict = asked("lsm", FakeKernel(), str(path))
    reason = "its type information has no bpf_lsm_file_open to ask with"
    assert verdict == unknown(reason, since="5.7")


def test_broken_type_information_is_none(tmp_path: Path) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(b"\x9f\xeb\x01\x00broken")
    assert Prober(str(path)).kernel_btf is None


def test_every_program_type_is_asked_about() -> None:
    assert {probe.prog_type for probe in PROBES.values()} == set(ProgType) - {ProgType.UNSPEC}


def test_a_type_is_what_its_best_combination_is() -> None:
    no, dunno = not_available("no", errno.EINVAL), unknown("denied", errno.EPERM)
    fentry, iterator, lsm, xdp = (PROBES[name] for name in ("fentry", "iter", "lsm", "xdp"))
    summed = by_program_type(
        [
            (fentry, dunno),
            (iterator, available("5.8")),
            (lsm, no),
            (PROBES["lsm_cgroup"], dunno),
            (xdp, no),
        ]
    )
    assert summed == {ProgType.TRACING: available("5.8"), ProgType.LSM: dunno, ProgType.XDP: no}
