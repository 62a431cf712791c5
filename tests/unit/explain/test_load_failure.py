from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import MapSpec, ObjectSpec, ProgramSpec
from bpfctl.errors import SyscallError
from bpfctl.explain import engine
from bpfctl.explain.load_failure import explain_load
from bpfctl.kernel.bpf import replaced
from bpfctl.kernel.uapi import MapType
from bpfctl.linux import caps
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.objects import denial

if TYPE_CHECKING:
    from pathlib import Path

UNREAD = KernelBtf("/nonexistent")


def one_program(section: str, *maps: MapSpec) -> ObjectSpec:
    program = ProgramSpec("main", parse_section_name(section), "x:main")
    return ObjectSpec("x.bpf.o", "GPL", 0, (program,), {}, maps)


def refused(number: int = errno.EPERM) -> SyscallError:
    return SyscallError(number, "BPF_PROG_LOAD", "load program main", program="main")


@pytest.fixture
def rights(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets which capabilities are missing; only they are looked into."""
    checks = ("rights:for_load", "trampoline:refused")
    table = {"BPF_PROG_LOAD": checks, "BPF_MAP_CREATE": checks, "BPF_BTF_LOAD": checks}
    monkeypatch.setattr(engine, "BY_CALL", table)
    monkeypatch.setattr(engine, "ALWAYS", ())

    def lack(*names: str) -> None:
        held = (one for one in caps.Capability if f"CAP_{one.name}" not in names)
        mask = sum(1 << one for one in held)
        monkeypatch.setattr(caps, "effective_mask", lambda status: mask)
        monkeypatch.setattr(denial, "in_initial_user_namespace", lambda: True)

    return lack


@pytest.fixture
def kernel(tmp_path: Path) -> KernelBtf:
    builder = BtfBuilder()
    builder.add(t.FuncProto(1, "", 0, ()))
    builder.add(t.Func(2, "bpf_iter_bpf_map", 1, t.FuncLinkage.STATIC))
    builder.add(t.Func(3, "vfs_read", 1, t.FuncLinkage.STATIC))
    (tmp_path / "vmlinux").write_bytes(builder.build())
    return KernelBtf(str(tmp_path / "vmlinux"))


def accepts(cmd: int, union: Any, size: int) -> int:
    if int(union.attach_btf_id) != 2:
        return -errno.EPERM
    return os.open(os.devnull, os.O_RDONLY)


def refuses(cmd: int, union: Any, size: int) -> int:
    return -errno.EPERM


ALL = ("CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_RESOURCE")


@pytest.mark.parametrize(
    ("section", "held", "lacking", "needed"),
    [
        pytest.param("socket", [], "CAP_BPF", "CAP_BPF", id="none"),
        pytest.param(
            "fentry/x",
            ["CAP_NET_ADMIN"],
            "CAP_BPF, CAP_PERFMON",
            "CAP_BPF and CAP_PERFMON",
            id="two",
        ),
        pytest.param("xdp", ["CAP_BPF"], "CAP_NET_ADMIN", "CAP_BPF and CAP_NET_ADMIN", id="net"),
        pytest.param(
            "freplace/x",
            ["CAP_BPF", "CAP_PERFMON"],
            "CAP_NET_ADMIN",
            "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN",
            id="three",
        ),
    ],
)
def test_missing_capabilities_are_the_cause(
    section: str, held: list[str], lacking: str, needed: str, rights: Any
) -> None:
    rights(*(name for name in ALL if name not in held))
    error = explain_load(refused(), one_program(section), UNREAD)
    assert error.code == "capabilities-missing"
    assert error.evidence == [f"this process lacks {lacking}"]
    assert error.remedy == f"run it as root, or with {needed}"


def test_what_the_whole_load_takes_is_named_at_once(rights: Any) -> None:
    rights(*ALL)
    refusal = SyscallError(errno.EPERM, "BPF_BTF_LOAD", "load type information")
    error = explain_load(refusal, one_program("xdp"), UNREAD)
    assert error.message == "load type information: not permitted without CAP_BPF"
    assert error.evidence == ["this process lacks CAP_BPF, CAP_NET_ADMIN"]
    assert error.remedy == "run it as root, or with CAP_BPF and CAP_NET_ADMIN"


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [(MapType.SOCKMAP, ["this process lacks CAP_NET_ADMIN"]), (MapType.HASH, [])],
)
def test_maps_may_take_more_than_programs(kind: MapType, lacking: list[str], rights: Any) -> None:
    rights("CAP_NET_ADMIN", "CAP_SYS_ADMIN")
    spec = one_program("socket", MapSpec("m", kind, 4, 4, 1))
    refusal = SyscallError(errno.EPERM, "BPF_MAP_CREATE", "create map m")
    assert explain_load(refusal, spec, UNREAD).evidence == lacking


def test_in_a_user_namespace_all_are_missing(rights: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rights()
    monkeypatch.setattr(denial, "in_initial_user_namespace", lambda: False)
    error = explain_load(refused(), one_program("socket"), UNREAD)
    assert error.code == "capabilities-in-user-namespace"
    assert error.evidence == [
        "this process lacks CAP_BPF",
        "it is in a user namespace: what it has there does not count here",
    ]


def test_a_trampoline_is_the_cause_when_an_iterator_loads(rights: Any, kernel: KernelBtf) -> None:
    rights("CAP_SYS_RESOURCE")
    with replaced(accepts):
        error = explain_load(refused(), one_program("fexit/x"), kernel)
    assert error.code == "eperm-trampoline-refused"
    assert error.evidence[0] == (
        "CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN present; an iterator loads; "
        "fexit and fentry are refused with EPERM before verification (empty log)"
    )


def test_without_that_check_it_is_only_a_candidate(rights: Any, kernel: KernelBtf) -> None:
    rights()
    with replaced(refuses):
        error = explain_load(refused(), one_program("lsm/x"), kernel)
    assert (error.code, len(error.candidates), error.evidence) == ("syscall-failed", 1, [])


@pytest.mark.parametrize("section", ["tp_btf/x", "xdp", "iter/task"])
def test_programs_without_a_trampoline_are_left_alone(section: str, rights: Any) -> None:
    rights()
    error = explain_load(refused(), one_program(section), UNREAD)
    assert (error.code, error.evidence, error.candidates) == ("syscall-failed", [], [])


def test_other_errors_are_left_alone(rights: Any) -> None:
    rights("CAP_BPF")
    error = explain_load(refused(errno.EINVAL), one_program("fentry/x"), UNREAD)
    assert (error.code, error.evidence) == ("syscall-failed", [])
