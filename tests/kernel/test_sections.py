"""Each name of the section table on the running kernel: a program that does nothing loads."""

from __future__ import annotations

import errno
import platform
from typing import TYPE_CHECKING

import pytest

from bpfctl.elf.reader import parse_object
from bpfctl.elf.section_def import AttachKind, Grammar
from bpfctl.elf.section_table import DEFINITIONS
from bpfctl.errors import NotFoundError, SyscallError, VerifierError
from bpfctl.explain.trampoline import needs_trampoline
from bpfctl.kernel.info import prog_info
from bpfctl.linux.version import kernel_version, parse_release
from bpfctl.loader.pipeline import load
from tests.builders.elf import ALLOC, EXIT, ElfBuilder
from tests.kernel.needs import verdicts

if TYPE_CHECKING:
    from bpfctl.elf.section_def import SectionDef
    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.errors import BpfctlError

# A system call may be modified and may sleep, where errors can be injected into it.
SYSCALL = "__x64_sys_getpgid" if platform.machine() == "x86_64" else "__arm64_sys_getpgid"
# What must be there when the program loads; other targets only matter when it is attached.
TARGETS = {
    "iter": "task",
    "iter.s": "task",
    "fmod_ret": "security_file_open",
    "lsm.s": "bprm_committed_creds",
    **dict.fromkeys(("fmod_ret.s", "fentry.s", "fexit.s", "fsession.s"), SYSCALL),
    "tp_btf": "sched_process_exec",
    "tp_btf.s": "sys_enter",
    "lsm_cgroup": "socket_bind",
}
BY_GRAMMAR = {Grammar.BTF_FUNCTION: "bpf_fentry_test1", Grammar.HOOK: "file_open"}
ALLOW = bytes.fromhex("b700000001000000 9500000000000000")  # some hooks want a 1
# These need more than a section: a loaded program to replace a function of, a map.
ELSEWHERE = (AttachKind.EXT, AttachKind.STRUCT_OPS)
# Kernels before them load the program, as its type alone matters to them then: they refuse to
# attach it, or run it as what they know.
TOLD_LATER = (AttachKind.KPROBE_MULTI, AttachKind.UPROBE_MULTI, AttachKind.TCX, AttachKind.NETKIT)
LIKE_OTHERS = ("sk_reuseport/migrate", "sk_skb/verdict", "iter.s", "tp_btf.s")
NOWHERE = ("lirc_mode2",)  # none of the kernels we test on has infrared (CONFIG_BPF_LIRC_MODE2)
ROWS = [row for row in DEFINITIONS if row.kind not in ELSEWHERE and row.name not in NOWHERE]


def object_of(row: SectionDef) -> bytes:
    target = TARGETS.get(row.name) or (BY_GRAMMAR.get(row.grammar) if row.btf_target else None)
    builder = ElfBuilder()
    code = ALLOW if row.kind is AttachKind.CGROUP else EXIT
    builder.function("nothing", f"{row.name}/{target}" if target else row.name, code)
    builder.section("license", b"GPL\0", flags=ALLOC)
    return builder.build()


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_program_of_each_section_loads(row: SectionDef) -> None:
    """The kernel decides: what it takes before the table's first version contradicts the table."""
    spec = parse_object(object_of(row), "nothing.bpf.o")
    is_older = kernel_version() < parse_release(row.since)
    try:
        with load(spec) as loaded:
            found = prog_info(loaded.programs["nothing"].fd)
            assert found.number("type") == row.prog_type
    except (SyscallError, NotFoundError) as err:
        why = f"needs Linux {row.since}: {row.name}" if is_older else excuse(row, spec, err)
        if not why:
            raise
        pytest.skip(why)
    assert not is_older or is_told_later(row), f"loads, but since Linux {row.since} only"


def is_told_later(row: SectionDef) -> bool:
    """Whether kernels that are too old load the program all the same."""
    return row.kind in TOLD_LATER or row.name in LIKE_OTHERS


def excuse(row: SectionDef, spec: ObjectSpec, err: BpfctlError) -> str:
    """Say why a kernel that is new enough need not take the program; empty where it must."""
    verdict = verdicts().get(f"program {row.prog_type.name.lower()}")
    if verdict and not verdict.available:
        return f"this kernel has no {row.prog_type.name}: {verdict.reason}"
    if isinstance(err, VerifierError) and " is not sleepable" in err.log:
        return "errors cannot be injected into this kernel's system calls"
    denied = isinstance(err, SyscallError) and err.errno == errno.EPERM
    if denied and needs_trampoline(spec.programs[0].section):
        return "this kernel refuses trampolines"
    return ""
