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
from typing import TYPE_CHECKING, Final, NamedTuple

from bpfctl.asm import insn as i
from bpfctl.btf.plain import plain
from bpfctl.btf.types import Func, Kind, Ptr
from bpfctl.errors import NotSupportedError
from bpfctl.kernel.uapi_helpers import HelperId
from bpfctl.objects.ids import ObjectKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpfctl.btf.decode import Btf

ITERATOR: Final = "bpf_iter_task_file"
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


@plain
class Layout:
    """Where the program finds what it reads: byte offsets in the kernel's own structures.

    `context` has those of the iterator's arguments. `ids` says for each kind how its id is reached
    from a file's private data: offsets to follow, of which the last is the id's own.
    """

    function_id: int
    context: dict[str, int]
    meta_seq: int
    tgid: int
    group_leader: int
    comm: int
    private_data: int
    inode: int
    superblock: int
    magic: int
    dentry: int
    name: int
    ids: dict[ObjectKind, tuple[int, ...]]


def find_layout(btf: Btf) -> Layout:
    """Look the places up in a kernel's type information.

    Structures are reached through others where possible: following ids costs nothing, while the
    look-up of a name takes 5 ms, and of one that ends many other names ("btf", "bpf_map") 20 ms.
    Raises: NotSupportedError where something is missing, BtfError.
    """
    function_id = btf.find(ITERATOR, Kind.FUNC)
    if function_id is None:
        raise NotSupportedError("iterators over open files", "5.8")
    arguments = _arguments(btf, function_id)
    task, file = _Place(btf, arguments["task"][1]), _Place(btf, arguments["file"][1])
    return Layout(
        function_id,
        context={name: offset for name, (offset, _) in arguments.items()},
        meta_seq=_Place(btf, arguments["meta"][1]).at("seq").offset,
        tgid=task.at("tgid").offset,
        group_leader=task.at("group_leader").offset,
        comm=task.at("comm").offset,
        private_data=file.at("private_data").offset,
        inode=file.at("f_inode").offset,
        superblock=file.at("f_inode").behind().at("i_sb").offset,
        magic=file.at("f_inode").behind().at("i_sb").behind().at("s_magic").offset,
        dentry=file.at("f_path").at("dentry").offset,
        name=file.at("f_path").at("dentry").behind().at("d_name").at("name").offset,
        ids=_ids(btf),
    )


def _arguments(btf: Btf, function_id: int) -> dict[str, tuple[int, int]]:
    """Return offset and type of what the iterator passes: 8 bytes each in the context.

    A pointer is given by the type it points to.
    """
    found = {}
    assert isinstance(btf.type(function_id), Func)
    for index, param in enumerate(btf.func_proto(function_id).params):
        target = btf.type(btf.skip_modifiers(param.type_id))
        type_id = target.type_id if isinstance(target, Ptr) else param.type_id
        found[param.name] = (8 * index, type_id)
    if not found.keys() >= {"meta", "task", "fd", "file"}:
        raise NotSupportedError("iterators over open files as we know them")
    return found


def _ids(btf: Btf) -> dict[ObjectKind, tuple[int, ...]]:
    aux, primer = _struct(btf, "bpf_prog_aux"), _struct(btf, "bpf_link_primer")
    return {
        ObjectKind.PROG: (aux.at("prog").behind().at("aux").offset, aux.at("id").offset),
        ObjectKind.MAP: (aux.at("used_maps").behind().behind().at("id").offset,),
        ObjectKind.LINK: (primer.at("link").behind().at("id").offset,),
        ObjectKind.BTF: (aux.at("btf").behind().at("id").offset,),
    }


def _struct(btf: Btf, name: str) -> _Place:
    type_id = btf.find(name, Kind.STRUCT)
    if type_id is None:
        raise NotSupportedError(f"iterators that see struct {name}")
    return _Place(btf, type_id)


class _Place(NamedTuple):
    """A spot in a structure: what is there, and how many bytes it is from the beginning."""

    btf: Btf
    type_id: int
    offset: int = 0

    def at(self, name: str) -> _Place:
        """Go on to a member. Raises: NotSupportedError."""
        member = self.btf.member(self.type_id, name)
        if member is None:
            raise NotSupportedError(f"{self.btf.type_name(self.type_id)} with a member {name}")
        return _Place(self.btf, member.type_id, self.offset + member.offset_bits // 8)

    def behind(self) -> _Place:
        """Begin anew in what the pointer here points to. Raises: NotSupportedError."""
        found = self.btf.type(self.btf.skip_modifiers(self.type_id))
        if not isinstance(found, Ptr):
            raise NotSupportedError(f"{self.btf.type_name(self.type_id)} as a pointer")
        return _Place(self.btf, found.type_id)


# --- the program. Registers: r6 context, r7 task, r8 file, r9 address of the object or in it.

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
