"""Each name of the section table on the running kernel: a program that does nothing loads."""

from __future__ import annotations

import errno
import platform
from typing import TYPE_CHECKING

import pytest

from bpfctl.elf.reader import parse_object
from bpfctl.elf.section_def import AttachKind, Grammar
from bpfctl.elf.section_table import DEFINITIONS
from bpfctl.errors import SyscallError, VerifierError
from bpfctl.explain.trampoline import needs_trampoline
from bpfctl.kernel.info import prog_info
from bpfctl.linux.version import kernel_version, parse_release
from bpfctl.loader.pipeline import load
from tests.builders.elf import ALLOC, EXIT, ElfBuilder
from tests.kernel.needs import verdicts

if TYPE_CHECKING:
    from bpfctl.elf.section_def import SectionDef

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
    if kernel_version() < parse_release(row.since):
        pytest.skip(f"needs Linux {row.since}: {row.name}")
    verdict = verdicts().get(f"program {row.prog_type.name.lower()}")
    if verdict and not verdict.available:
        pytest.skip(f"this kernel has no {row.prog_type.name}: {verdict.reason}")
    spec = parse_object(object_of(row), "nothing.bpf.o")
    try:
        with load(spec) as loaded:
            found = prog_info(loaded.programs["nothing"].fd)
            assert found.number("type") == row.prog_type
    except SyscallError as err:
        if err.errno == errno.EPERM and needs_trampoline(spec.programs[0].section):
            pytest.skip("this kernel refuses trampolines")
        if isinstance(err, VerifierError) and " is not sleepable" in err.log:
            pytest.skip("errors cannot be injected into this kernel's system calls")
        raise
