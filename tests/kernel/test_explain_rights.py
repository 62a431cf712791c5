"""Refused for lack of rights: which, and what to do, in so many words."""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import resource
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.asm.insn import Insn, encode
from bpfctl.btf.types import Kind
from bpfctl.kernel.attr import raw_tracepoint_open
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.libc import syscall_number
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.linux.caps import Capability
from bpfctl.linux.security import active_lsms
from bpfctl.linux.version import kernel_version, parse_release
from bpfctl.objects.btf import kernel_btf
from tests.kernel import needs
from tests.kernel.conftest import remove_tree
from tests.kernel.powers import EVERY, named, pinned_below, run_with
from tests.kernel.small import load

if TYPE_CHECKING:
    from bpfctl.kernel.fd import Fd

# include/uapi/linux/sched.h, prctl.h and seccomp.h
CLONE_NEWUSER = 0x10000000
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00050000, 0x7FFF0000
HELD: list[Fd] = []


@pytest.mark.explains("capabilities-missing")
@pytest.mark.parametrize(
    ("held", "lacks", "remedy"),
    [
        pytest.param((), "CAP_BPF, CAP_NET_ADMIN", "CAP_BPF and CAP_NET_ADMIN", id="none"),
        pytest.param(("CAP_BPF",), "CAP_NET_ADMIN", "CAP_BPF and CAP_NET_ADMIN", id="one"),
    ],
)
def test_a_load_names_all_that_it_lacks(
    held: tuple[str, ...], lacks: str, remedy: str, data: Path, bpffs: Path
) -> None:
    words = ["prog", "load", str(data / "capabilities.bpf.o"), str(bpffs / "x")]
    ran = run_with(named(held), [*words, "--program", "xdp_pass"])
    assert (ran.status, ran.error["code"]) == (4, "capabilities-missing")
    assert ran.error["evidence"] == [f"this process lacks {lacks}"]
    assert ran.error["remedy"] == f"run it as root, or with {remedy}"
    assert pinned_below(bpffs) == []


def test_an_open_type_names_the_setting(data: Path, bpffs: Path) -> None:
    words = ["prog", "load", str(data / "capabilities.bpf.o"), str(bpffs / "x")]
    ran = run_with((), [*words, "--program", "socket_filter"])
    value = int(Path("/proc/sys/kernel/unprivileged_bpf_disabled").read_text())
    assert value, "the kernels of the matrix are closed to users without capabilities"
    assert (ran.status, ran.error["code"]) == (4, "capabilities-missing")
    assert "this process lacks CAP_BPF" in ran.error["evidence"]


def enter_user_namespace() -> None:
    """Go into a user namespace as its root, with all capabilities there."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(CLONE_NEWUSER) == 0
    Path("/proc/self/uid_map").write_text("0 0 1")


@pytest.mark.explains("capabilities-in-user-namespace")
def test_capabilities_of_a_user_namespace_do_not_count(data: Path, bpffs: Path) -> None:
    words = ["prog", "load", str(data / "capabilities.bpf.o"), str(bpffs / "x")]
    ran = run_with(EVERY, [*words, "--program", "xdp_pass"], before=enter_user_namespace)
    assert (ran.status, ran.error["code"]) == (4, "capabilities-in-user-namespace"), ran
    assert ran.error["evidence"][:2] == [
        "this process lacks CAP_BPF, CAP_NET_ADMIN",
        "it is in a user namespace: what it has there does not count here",
    ]
    assert ran.error["remedy"] == (
        "run it in the initial user namespace, as root, or with CAP_BPF and CAP_NET_ADMIN"
    )


def test_a_bpffs_that_hands_out_tokens_is_named(data: Path, bpffs: Path, tmp_path: Path) -> None:
    """Older kernels than Linux 6.9 ignore the option, as all that they do not know."""
    options = "delegate_cmds=any,delegate_progs=any"
    words = ["mount", "-t", "bpf", "-o", options, "ours", str(tmp_path)]
    subprocess.run(words, check=True)
    try:
        load_words = ["prog", "load", str(data / "capabilities.bpf.o"), str(bpffs / "x")]
        ran = run_with(EVERY, [*load_words, "--program", "tc_pass"], before=enter_user_namespace)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    told = [line for line in ran.error["evidence"] if line.startswith(str(tmp_path))]
    assert len(told) == (kernel_version() >= parse_release("6.9"))
    assert all("hands out BPF tokens (delegate_cmds=any" in line for line in told)


def filter_bpf() -> None:
    """Have a seccomp filter answer EPERM to bpf(2), as container runtimes do."""
    code = (
        (0x20, 0, 0, 0),  # load the number of the system call
        (0x15, 0, 1, int(syscall_number("bpf"))),
        (0x06, 0, 0, SECCOMP_RET_ERRNO | errno.EPERM),
        (0x06, 0, 0, SECCOMP_RET_ALLOW),
    )
    raw = b"".join(struct.pack("<HBBI", *insn) for insn in code)
    buffer = ctypes.create_string_buffer(raw)
    program = struct.pack("<HxxxxxxQ", len(code), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) == 0


@pytest.mark.explains("seccomp-refuses-bpf")
def test_a_seccomp_filter(data: Path, bpffs: Path) -> None:
    words = ["prog", "load", str(data / "capabilities.bpf.o"), str(bpffs / "x")]
    ran = run_with(EVERY, [*words, "--program", "xdp_pass"], before=filter_bpf)
    assert (ran.status, ran.error["code"]) == (4, "seccomp-refuses-bpf"), ran
    assert ran.error["message"] == "a seccomp filter of this process refuses bpf(2)"
    assert ran.error["evidence"] == [
        "a request that the kernel refuses with E2BIG, whoever asks, is refused with EPERM",
        "/proc/self/status says that a filter decides (Seccomp: 2)",
    ]


def refuse_ourselves() -> None:
    """Have an LSM program refuse each bpf(2) of this process, for as long as it lives."""
    target = kernel_btf().find("bpf_lsm_bpf", Kind.FUNC)
    code = encode(
        [
            Insn(0x85, imm=14),  # bpf_get_current_pid_tgid
            Insn(0x77, 0, imm=32),
            Insn(0x55, 0, off=2, imm=os.getpid()),
            Insn(0xB7, 0, imm=-errno.EPERM),
            Insn(0x95),
            Insn(0xB7, 0, imm=0),
            Insn(0x95),
        ]
    )
    kind = AttachType.LSM_MAC
    prog = load(ProgType.LSM, code=code, expected_attach_type=kind, attach_btf_id=target)
    HELD.append(bpf_fd(raw_tracepoint_open("", prog)))


@needs.LSM
@pytest.mark.explains("security-module-refuses-bpf")
def test_a_security_module(data: Path, bpffs: Path) -> None:
    words = ["prog", "load", str(data / "capabilities.bpf.o"), str(bpffs / "x")]
    ran = run_with(EVERY, [*words, "--program", "xdp_pass"], before=refuse_ourselves)
    modules = active_lsms() or []
    if "bpf" not in modules:  # then the program never runs
        assert ran.status == 0, ran
        return
    assert (ran.status, ran.error["code"]) == (4, "security-module-refuses-bpf"), ran
    assert ran.error["message"] == "a security module refuses bpf(2) to this process"
    assert ran.error["evidence"] == [
        "even a command that does not exist is refused with EPERM",
        f"active security modules: {', '.join(modules)}",
    ]


def lower_limit() -> None:
    """Leave a megabyte of locked memory, also to be raised to."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 16, 1 << 20))


@pytest.mark.explains("memlock-limit-reached")
def test_the_limit_of_locked_memory(data: Path, bpffs: Path) -> None:
    """It is the cause only on kernels that count, and there it is raised as far as may be."""
    words = ["prog", "loadall", str(data / "legacy_maps.bpf.o"), str(bpffs / "x")]
    held = EVERY - {int(Capability.SYS_RESOURCE)}
    small = run_with(held, [*words, "--set-max-entries", "untyped=30000"], before=lower_limit)
    assert small.status == 0, small
    remove_tree(bpffs / "x")
    large = run_with(held, [*words, "--set-max-entries", "untyped=900000"], before=lower_limit)
    if kernel_version() >= parse_release("5.11"):
        assert large.status == 0, large
        return
    assert (large.status, large.error["code"]) == (4, "memlock-limit-reached"), large
    assert large.error["evidence"] == [
        "RLIMIT_MEMLOCK is 65536 bytes, and this kernel counts BPF objects against it",
        "the same map with one entry is made",
        "bpfctl may not raise the limit itself",
    ]


def leave_few_files() -> None:
    """Let the process open only a few files more."""
    taken = {int(path.name) for path in Path("/proc/self/fd").iterdir()}
    free = itertools.islice((one for one in itertools.count() if one not in taken), 5)
    limit = max(free) + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


@pytest.mark.explains("too-many-descriptors")
def test_more_maps_than_files_may_be_open(data: Path, bpffs: Path) -> None:
    words = ["prog", "loadall", str(data / "maps.bpf.o"), str(bpffs / "x")]
    ran = run_with(EVERY, words, before=leave_few_files)
    assert (ran.status, ran.error["code"]) == (1, "too-many-descriptors"), ran
    assert ran.error["message"] == "this process has as many files open as it may"
    assert ran.error["evidence"][0].endswith("files (RLIMIT_NOFILE)")
    assert pinned_below(bpffs) == []
