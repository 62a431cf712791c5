"""The iterator program that looks at every open file of every process, made for one kernel.

For each file of a BPF object it writes a record; all other files it passes over. It knows such a
file by what the kernel called it: a file of the anonymous inode file system ("anon_inode:") with
the name "bpf-prog", "bpf-map", "bpf_link" or "btf". Its operations (bpf_map_fops...) would tell as
well, but their addresses are in no type information, and in /proc/kallsyms only on kernels built
with CONFIG_KALLSYMS_ALL. Nobody can give a file such a name: that file system takes no files from
outside.

Source: anon_inode_getfd() in kernel/bpf/syscall.c and btf.c, kernel/bpf/task_iter.c, Linux 5.8 to
6.18; ANON_INODE_FS_MAGIC in include/uapi/linux/magic.h.
"""

from __future__ import annotations

import struct
import sys

from bpfctl.asm import insn as i
from bpfctl.kernel.uapi_helpers import HelperId
from bpfctl.objects.ids import ObjectKind
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.objects.holders_layout import Layout

LICENSE: Final = "GPL"  # what the helpers in use ask for
ANON_INODE_FS_MAGIC: Final = 0x09041934

# A record: tgid, fd, number of the kind below, id; then the command's 16 bytes.
RECORD: Final = struct.Struct("=IIII16s")
KINDS: Final = (ObjectKind.PROG, ObjectKind.MAP, ObjectKind.LINK, ObjectKind.BTF)
_NAMES: Final = (
    (b"bpf-prog", ObjectKind.PROG),
    (b"bpf-map", ObjectKind.MAP),
    (b"bpf_link", ObjectKind.LINK),
    (b"bpf-link", ObjectKind.LINK),
    (b"btf", ObjectKind.BTF),
)

# Registers: r6 context, r7 task, r8 file, r9 address of the object or in it.

_FP: Final = 10
_RECORD_AT: Final = -RECORD.size
_COMM_AT: Final = _RECORD_AT + 16
_SCRATCH_AT: Final = _RECORD_AT - 16  # 16 bytes: a file's name, or a pointer that was read
_MOV, _ADD = 0xB0, 0x00
_JEQ, _JNE, _JA = 0x10, 0x50, 0x00


class _Jump(NamedTuple):
    """A jump to a place that gets its name later."""

    opcode: int
    label: str
    dst: int = 0
    src: int = 0
    imm: int = 0


def assemble(layout: Layout) -> bytes:
    """Return the program's code for a kernel with that layout."""
    lines = [*_only_anonymous(layout), *_read_name(layout), *_tell_kinds(layout)]
    lines += [*_read_id(), *_fill_record(layout), *_write_record(layout)]
    lines += ["end", _mov(0, 0), i.Insn(i.BPF_EXIT_INSN)]
    return i.encode(_linked(lines))


_Line = i.Insn | _Jump | str


def _linked(lines: Iterable[_Line]) -> list[i.Insn]:
    """Give jumps their distances: a text is the name of the place where it stands."""
    places: dict[str, int] = {}
    slots: list[i.Insn | _Jump] = []
    for line in lines:
        if isinstance(line, str):
            places[line] = len(slots)
        else:
            slots.append(line)
    return [
        line
        if isinstance(line, i.Insn)
        else i.Insn(line.opcode, line.dst, line.src, places[line.label] - at - 1, line.imm)
        for at, line in enumerate(slots)
    ]


def _only_anonymous(layout: Layout) -> list[_Line]:
    """Pass over the end of the walk (no task, no file) and files of other file systems."""
    return [
        _copy(6, 1),
        _load(7, 6, layout.context["task"]),
        _Jump(i.BPF_JMP | _JEQ, "end", 7),
        _load(8, 6, layout.context["file"]),
        _Jump(i.BPF_JMP | _JEQ, "end", 8),
        _load(1, 8, layout.inode),
        _load(1, 1, layout.superblock),
        _load(1, 1, layout.magic),
        _Jump(i.BPF_JMP | _JNE, "end", 1, imm=ANON_INODE_FS_MAGIC),
    ]


def _read_name(layout: Layout) -> list[_Line]:
    """Read the file's name, and the object it stands for; names of 8 bytes or more are not ours.

    The name's first 8 bytes are in r1 then.
    """
    return [
        i.Insn(i.BPF_ST | i.BPF_MEM | i.BPF_DW, _FP, 0, _SCRATCH_AT),
        i.Insn(i.BPF_ST | i.BPF_MEM | i.BPF_DW, _FP, 0, _SCRATCH_AT + 8),
        _load(3, 8, layout.dentry),
        _load(3, 3, layout.name),
        *_read_kernel(_SCRATCH_AT, 16, HelperId.probe_read_kernel_str),
        _load(9, 8, layout.private_data),
        _load(1, _FP, _SCRATCH_AT + 8),
        _Jump(i.BPF_JMP | _JNE, "end", 1),
        _load(1, _FP, _SCRATCH_AT),
    ]


def _tell_kinds(layout: Layout) -> list[_Line]:
    """Compare the name with all we know; go on at "id" with r9 at the id."""
    lines: list[_Line] = []
    for name, kind in _NAMES:
        number = int.from_bytes(name.ljust(8, b"\0"), sys.byteorder)
        lines += [*i.ld_imm64(2, number), _Jump(i.BPF_JMP | _JEQ | i.BPF_X, kind.name, 1, 2)]
    lines.append(_Jump(i.BPF_JMP | _JA, "end"))
    for kind in KINDS:
        *pointers, last = layout.ids[kind]
        lines += [kind.name, _store_number(_RECORD_AT + 8, KINDS.index(kind))]
        for offset in pointers:
            lines += [_copy(3, 9), _add(3, offset), *_read_kernel(_SCRATCH_AT, 8)]
            lines.append(_load(9, _FP, _SCRATCH_AT))
        lines += [_add(9, last), _Jump(i.BPF_JMP | _JA, "id")]
    return lines


def _read_id() -> list[_Line]:
    return ["id", _copy(3, 9), *_read_kernel(_RECORD_AT + 12, 4)]


def _fill_record(layout: Layout) -> list[_Line]:
    """Fill in whose descriptor it is: of a thread, its process and that one's command."""
    return [
        _load(1, 7, layout.tgid, i.BPF_W),
        _store(1, _RECORD_AT, i.BPF_W),
        _load(1, 6, layout.context["fd"], i.BPF_W),
        _store(1, _RECORD_AT + 4, i.BPF_W),
        _load(3, 7, layout.group_leader),
        _add(3, layout.comm),
        *_read_kernel(_COMM_AT, 16),
    ]


def _write_record(layout: Layout) -> list[_Line]:
    return [
        _load(1, 6, layout.context["meta"]),
        _load(1, 1, layout.meta_seq),
        _copy(2, _FP),
        _add(2, _RECORD_AT),
        _mov(3, RECORD.size),
        i.Insn(i.BPF_CALL_IMM, imm=HelperId.seq_write),
    ]


def _read_kernel(to: int, size: int, helper: HelperId = HelperId.probe_read_kernel) -> list[i.Insn]:
    """Read kernel memory at r3 to the stack; what cannot be read is zero."""
    return [_copy(1, _FP), _add(1, to), _mov(2, size), i.Insn(i.BPF_CALL_IMM, imm=helper)]


def _load(dst: int, src: int, off: int, size: int = i.BPF_DW) -> i.Insn:
    return i.Insn(i.BPF_LDX | i.BPF_MEM | size, dst, src, off)


def _store(src: int, off: int, size: int) -> i.Insn:
    return i.Insn(i.BPF_STX | i.BPF_MEM | size, _FP, src, off)


def _store_number(off: int, imm: int) -> i.Insn:
    return i.Insn(i.BPF_ST | i.BPF_MEM | i.BPF_W, _FP, 0, off, imm)


def _copy(dst: int, src: int) -> i.Insn:
    return i.Insn(i.BPF_ALU64 | _MOV | i.BPF_X, dst, src)


def _mov(dst: int, imm: int) -> i.Insn:
    return i.Insn(i.BPF_ALU64 | _MOV | i.BPF_K, dst, imm=imm)


def _add(dst: int, imm: int) -> i.Insn:
    return i.Insn(i.BPF_ALU64 | _ADD | i.BPF_K, dst, imm=imm)
