from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import ObjectSpec, ProgramSpec
from bpfctl.errors import SyscallError, VerifierError
from bpfctl.explain import trampoline
from bpfctl.explain.load_failure import explain_load
from bpfctl.explain.rejection import explain_rejection
from bpfctl.kernel.bpf import replaced
from bpfctl.linux import caps
from bpfctl.loader.kernel_btf import KernelBtf

if TYPE_CHECKING:
    from pathlib import Path

UNREAD = KernelBtf("/nonexistent")


def one_program(section: str) -> ObjectSpec:
    program = ProgramSpec("main", parse_section_name(section), "x:main")
    return ObjectSpec("x.bpf.o", "GPL", 0, (program,), {}, ())


def refused(number: int = errno.EPERM) -> SyscallError:
    return SyscallError(number, "BPF_PROG_LOAD", "load program main", program="main")


@pytest.fixture
def rights(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets which capabilities are missing."""

    def lack(*names: str) -> None:
        # Both are imported before either is changed, or one would keep the other's stand-in.
        for module in (caps, trampoline):
            monkeypatch.setattr(module, "missing_capabilities", lambda: list(names))

    return lack


@pytest.fixture
def kernel(tmp_path: Path) -> KernelBtf:
    builder = BtfBuilder()
    builder.add(t.FuncProto(1, "", 0, ()))
    builder.add(t.Func(2, "bpf_iter_bpf_map", 1, t.FuncLinkage.STATIC))
    (tmp_path / "vmlinux").write_bytes(builder.build())
    return KernelBtf(str(tmp_path / "vmlinux"))


def accepts(cmd: int, union: Any, size: int) -> int:
    assert int(union.attach_btf_id) == 2
    return os.open(os.devnull, os.O_RDONLY)


def refuses(cmd: int, union: Any, size: int) -> int:
    return -errno.EPERM


def test_missing_capabilities_are_the_cause(rights: Any) -> None:
    rights("CAP_NET_ADMIN", "CAP_BPF")
    error = explain_load(refused(), one_program("fentry/x"), UNREAD)
    assert (error.code, error.evidence) == ("capabilities-missing", ["this process lacks CAP_BPF"])


def test_a_trampoline_is_the_cause_when_an_iterator_loads(rights: Any, kernel: KernelBtf) -> None:
    rights("CAP_SYS_RESOURCE")
    with replaced(accepts):
        error = explain_load(refused(), one_program("fexit/x"), kernel)
    assert error.code == "eperm-trampoline-refused"
    assert "fexit is refused with EPERM before verification" in error.evidence[0]


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


def test_a_rejection_begins_with_the_reason_and_the_line() -> None:
    error = VerifierError(errno.EACCES, "load program main", "0: (95) exit\nR0 !read_ok\n")
    error.insn, error.file, error.line, error.source = 0, "x.bpf.c", 7, "return r;"
    explain_rejection(error)
    assert error.message == "rejected: R0 !read_ok"
    assert error.evidence == ["insn 0, x.bpf.c:7    return r;"]


def test_a_rejection_without_words_has_the_errno() -> None:
    error = VerifierError(errno.E2BIG, "load program main", "processed 0 insns\n")
    assert explain_rejection(error).message == "rejected: E2BIG"
    assert error.evidence == []


def test_an_unresolved_access_is_the_headline() -> None:
    error = VerifierError(
        errno.EINVAL,
        "load program main",
        "1: (85) call unknown#195896080\ninvalid func unknown#195896080\n",
        code="core-relocation-unresolved",
        evidence=["CO-RE: nothing in this kernel fits struct a.b", "a has no member b"],
    )
    explain_rejection(error)
    assert error.message == "rejected: nothing in this kernel fits struct a.b"
    assert error.evidence == ["a has no member b"]
