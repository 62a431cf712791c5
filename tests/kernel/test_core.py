"""CO-RE against the running kernel: what libbpf writes into each instruction is what we write."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.asm import core_patch
from bpfctl.asm.core_patch import Patch
from bpfctl.asm.insn import Insn, decode
from bpfctl.btf.core import CoreTarget, resolve
from bpfctl.btf.decode import Btf
from bpfctl.elf.reader import read_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfctl.btf.core_fixup import CoreFixup
    from bpfctl.elf.spec import ObjectSpec

VMLINUX = Path("/sys/kernel/btf/vmlinux")
PATCHED = re.compile(r"prog '(\w+)': relo #\d+: patched insn #(\d+) \(.*\) (\w+) (-?\d+) -> (\d+)")
POISONED = re.compile(r"prog '(\w+)': relo #\d+: substituting insn #(\d+) w/ invalid insn")
POISON_WORDS = Insn(0x85, imm=core_patch.POISON_HELPER)

# Program, instruction, what was changed ("imm", "off", "imm64", "mem_sz", "poison"): new value.
Changes = dict[tuple[str, int, str], int]


@pytest.fixture(scope="module")
def kernel() -> Btf:
    if not VMLINUX.exists():
        pytest.skip("this kernel has no type information")
    return Btf.parse(VMLINUX.read_bytes())


def our_changes(spec: ObjectSpec, target: CoreTarget) -> Changes:
    assert spec.btf
    changes: Changes = {}
    for program in spec.programs:
        function = spec.functions[program.function]
        code, before = bytearray(function.code), decode(function.code)
        for relo in function.core_relos:
            index = relo.insn_off // 8
            apply(code, index, resolve(spec.btf, relo, target))
            rows = diff(before[index], code, index)
            changes |= {(program.name, index, word): value for word, value in rows}
    return changes


def apply(code: bytearray, index: int, fixup: CoreFixup) -> None:
    if fixup.poison:
        core_patch.poison(code, index)
        return
    memory = fixup.memory if fixup.memory and fixup.memory.differs else None
    core_patch.apply(
        code,
        index,
        Patch(
            fixup.value,
            fixup.original,
            fixup.value_bits,
            (memory.local_bytes, memory.target_bytes) if memory else None,
            bool(memory and memory.adjustable),
        ),
    )


def diff(before: Insn, code: bytearray, index: int) -> list[tuple[str, int]]:
    """Say what an instruction became, in libbpf's words."""
    insns = decode(code)
    after = insns[index]
    if after == POISON_WORDS:
        slots = 2 if before.is_ld_imm64 else 1
        assert insns[index : index + slots] == [POISON_WORDS] * slots
        return [("poison", 0)]
    if before.is_ld_imm64:
        assert insns[index + 1] == Insn(0)
        return [("imm64", after.imm)]
    if before.instruction_class in (1, 2, 3):
        sizes = {0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8}
        resized = [("mem_sz", sizes[after.opcode & 0x18])] if after.opcode != before.opcode else []
        return [("off", after.off), *resized]
    return [("imm", after.imm)]


def libbpf_changes(log: str) -> Changes:
    changes: Changes = {}
    for name, index, word, _, value in PATCHED.findall(log):
        changes[name, int(index), word] = int(value)
    poisoned = {(name, int(index)) for name, index in POISONED.findall(log)}
    for name, index in poisoned:  # libbpf reports the second slot of an ld_imm64 too
        if (name, index + 1) in poisoned or (name, index - 1) not in poisoned:
            changes[name, index, "poison"] = 0
    return changes


@pytest.mark.parametrize("name", ["core", "core_fields", "iter_task"])
def test_the_same_as_libbpf(
    name: str, data: Path, bpffs: Path, kernel: Btf, tool: Callable[[str], str]
) -> None:
    path = data / f"{name}.bpf.o"
    command = [tool("bpftool"), "-d", "prog", "loadall", str(path), str(bpffs / "all")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = libbpf_changes(done.stderr + done.stdout)
    assert our_changes(read_object(str(path)), CoreTarget(kernel)) == theirs
    assert len(theirs) >= 5


def test_the_object_reaches_every_kind(data: Path) -> None:
    """Or else the test above says less than it seems to. (clang 14 has no type matching.)"""
    functions = read_object(str(data / "core_fields.bpf.o")).functions.values()
    kinds = {relo.kind for function in functions for relo in function.core_relos}
    assert kinds == set(range(12))
