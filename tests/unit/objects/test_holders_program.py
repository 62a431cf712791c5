"""The iterator program that finds holders: where it looks, what it does, what it wrote."""

from __future__ import annotations

import sys
from typing import Final

import pytest

from bpfctl.asm import insn
from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.errors import NotSupportedError
from bpfctl.objects.holders_iter import parse_records
from bpfctl.objects.holders_layout import Layout, find_layout
from bpfctl.objects.holders_program import RECORD, assemble
from bpfctl.objects.holders_types import Holder, Sighting
from bpfctl.objects.ids import ObjectKind
from tests.builders.btf import build
from tests.unit.objects.machine import Machine, Memory

PROG, MAP, LINK, BTF = ObjectKind.PROG, ObjectKind.MAP, ObjectKind.LINK, ObjectKind.BTF

# --- the kernel's structures, with members at places of our own


def _m(name: str, type_id: int, offset: int) -> t.Member:
    return t.Member(name, type_id, 8 * offset)


KERNEL: Final[tuple[t.Type, ...]] = (
    t.Int(1, "unsigned int", 4, 0, 0, 32),
    t.Ptr(2, "", 3),
    t.Struct(3, "bpf_iter_meta", 24, (_m("", 4, 8),)),
    t.Struct(4, "", 8, (_m("seq", 5, 0),), is_union=True),
    t.Ptr(5, "", 0),
    t.Ptr(6, "", 7),
    t.Struct(
        7, "task_struct", 64, (_m("tgid", 1, 12), _m("group_leader", 6, 24), _m("comm", 8, 40))
    ),
    t.Array(8, "", 1, 1, 4),
    t.Ptr(9, "", 10),
    t.Struct(
        10, "file", 64, (_m("private_data", 5, 16), _m("f_inode", 12, 32), _m("", 11, 40))
    ),
    t.Struct(11, "", 16, (_m("f_path", 16, 0), _m("__f_path", 16, 0)), is_union=True),
    t.Ptr(12, "", 13),
    t.Struct(13, "inode", 64, (_m("i_sb", 14, 56),)),
    t.Ptr(14, "", 15),
    t.Struct(15, "super_block", 64, (_m("s_magic", 1, 48),)),
    t.Struct(16, "path", 16, (_m("mnt", 5, 0), _m("dentry", 17, 8))),
    t.Ptr(17, "", 18),
    t.Struct(18, "dentry", 64, (_m("d_name", 19, 20),)),
    t.Struct(19, "qstr", 16, (_m("hash", 1, 0), _m("name", 5, 8))),
    t.Ptr(20, "", 21),
    t.Struct(21, "bpf_prog", 64, (_m("aux", 22, 36),)),
    t.Ptr(22, "", 23),
    t.Struct(
        23,
        "bpf_prog_aux",
        64,
        (_m("id", 1, 4), _m("used_maps", 24, 8), _m("btf", 27, 16), _m("prog", 20, 24)),
    ),
    t.Ptr(24, "", 25),
    t.Ptr(25, "", 26),
    t.Struct(26, "bpf_map", 64, (_m("id", 1, 60),)),
    t.Ptr(27, "", 28),
    t.Struct(28, "btf", 64, (_m("id", 1, 44),)),
    t.Struct(29, "bpf_link_primer", 16, (_m("link", 30, 0),)),
    t.Ptr(30, "", 31),
    t.Struct(31, "bpf_link", 64, (_m("id", 1, 20),)),
    t.Const(32, "", 1),
    t.FuncProto(
        33, "", 1, (t.Param("meta", 2), t.Param("task", 6), t.Param("fd", 32), t.Param("file", 9))
    ),
    t.Func(34, "bpf_iter_task_file", 33, t.FuncLinkage.STATIC),
)  # fmt: skip

LAYOUT: Final = Layout(
    function_id=34,
    context={"meta": 0, "task": 8, "fd": 16, "file": 24},
    meta_seq=8,
    tgid=12,
    group_leader=24,
    comm=40,
    private_data=16,
    inode=32,
    superblock=56,
    magic=48,
    dentry=48,
    name=28,
    ids={PROG: (36, 4), MAP: (60,), LINK: (20,), BTF: (44,)},
)


def test_layout_is_found_in_type_information() -> None:
    assert find_layout(Btf.parse(build(KERNEL))) == LAYOUT


def _without(name: str) -> Btf:
    """Return the types with one name spoilt, of a type or a member."""
    data = build(KERNEL).replace(b"\0" + name.encode() + b"\0", b"\0" + b"?" * len(name) + b"\0")
    return Btf.parse(data)


@pytest.mark.parametrize(
    "name",
    [
        "bpf_iter_task_file",
        "bpf_prog_aux",
        "bpf_link_primer",
        "file",
        "tgid",
        "f_inode",
        "i_sb",
        "d_name",
        "used_maps",
        "id",
    ],
)
def test_what_a_kernel_lacks_is_said(name: str) -> None:
    with pytest.raises(NotSupportedError):
        find_layout(_without(name))


def test_a_member_that_is_no_pointer_is_said() -> None:
    types = list(KERNEL)
    types[11] = t.Const(12, "", 1)  # struct file.f_inode
    with pytest.raises(NotSupportedError):
        find_layout(Btf.parse(build(tuple(types))))


# --- the program

SEQ, META, TASK, LEADER, FILE, INODE, SB, DENTRY, NAME, THING, AUX, CONTEXT = (
    0x1000_0000 * n for n in range(1, 13)
)
ANONYMOUS: Final = 0x09041934


def _memory(name: bytes, magic: int = ANONYMOUS) -> Memory:
    """Lay out one open file with the object 77 behind it, held by process 5 as descriptor 6."""
    memory = Memory()
    for address, value in {
        CONTEXT: META,
        CONTEXT + 8: TASK,
        CONTEXT + 24: FILE,
        META + 8: SEQ,
        TASK + 24: LEADER,
        FILE + 16: THING,
        FILE + 32: INODE,
        FILE + 48: DENTRY,
        INODE + 56: SB,
        SB + 48: magic,
        DENTRY + 28: NAME,
        THING + 36: AUX,
    }.items():
        memory.number(address, value)
    memory.number(CONTEXT + 16, 6, 4)
    memory.number(TASK + 12, 5, 4)
    memory.write(LEADER + 40, b"agent".ljust(16, b"\0"))
    memory.write(NAME, name + b"\0")
    return memory


def _run(memory: Memory) -> list[tuple[int, bytes]]:
    machine = Machine(memory)
    assert machine.run(assemble(LAYOUT), CONTEXT) == 0
    return machine.written


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        pytest.param(b"bpf-prog", PROG, AUX + 4, id="prog"),
        pytest.param(b"bpf-map", MAP, THING + 60, id="map"),
        pytest.param(b"bpf_link", LINK, THING + 20, id="link"),
        pytest.param(b"bpf-link", LINK, THING + 20, id="link by its other name"),
        pytest.param(b"btf", BTF, THING + 44, id="btf"),
    ],
)
@pytest.mark.skipif(sys.byteorder != "little", reason="the machine is little-endian")
def test_program_reports_an_object(name: bytes, kind: ObjectKind, place: int) -> None:
    memory = _memory(name)
    memory.number(place, 77, 4)
    ((target, record),) = _run(memory)
    assert target == SEQ
    assert parse_records(record) == [Sighting((kind, 77), Holder(5, "agent", 6))]


@pytest.mark.parametrize(
    "name",
    [b"bpf_iter", b"bpf-map2", b"bpf-prog-other", b"bpf_links", b"bt", b"btf2", b"", b"[eventfd]"],
)
def test_program_passes_over_other_anonymous_files(name: bytes) -> None:
    assert _run(_memory(name)) == []


def test_program_is_not_taken_in_by_names_in_other_file_systems() -> None:
    assert _run(_memory(b"bpf-map", magic=0xEF53)) == []


@pytest.mark.parametrize("argument", [8, 24], ids=["task", "file"])
def test_program_copes_with_the_end_of_the_walk(argument: int) -> None:
    memory = _memory(b"bpf-map")
    memory.number(CONTEXT + argument, 0)
    assert _run(memory) == []


def test_every_jump_lands_on_an_instruction() -> None:
    insns = insn.decode(assemble(LAYOUT))
    second_slots = {at + 1 for at, one in enumerate(insns) if one.is_ld_imm64}
    jumps = [
        at + 1 + one.off
        for at, one in enumerate(insns)
        if one.instruction_class == insn.BPF_JMP and one.opcode & 0xF0 not in (0x80, 0x90)
    ]
    assert len(jumps) == 14
    assert all(0 < target < len(insns) and target not in second_slots for target in jumps)


# --- its records


def _record(pid: int, fd: int, kind: int, number: int, comm: bytes) -> bytes:
    return RECORD.pack(pid, fd, kind, number, comm)


def test_records() -> None:
    data = _record(7, 3, 0, 41, b"a\x1b[1m\nb") + _record(8, 4, 3, 2, b"\xff" * 16)
    assert parse_records(data) == [
        Sighting((PROG, 41), Holder(7, "a\x1b[1m\nb", 3)),
        Sighting((BTF, 2), Holder(8, "\udcff" * 16, 4)),
    ]


def test_a_cut_record_is_lost_alone() -> None:
    whole = _record(7, 3, 2, 41, b"x")
    assert parse_records(whole + whole[:-1]) == [Sighting((LINK, 41), Holder(7, "x", 3))]


def test_what_was_made_to_look_is_left_out() -> None:
    data = _record(7, 3, 0, 9, b"me") + _record(7, 4, 1, 9, b"me") + _record(8, 3, 0, 8, b"you")
    assert parse_records(data, without={(PROG, 9)}) == [
        Sighting((MAP, 9), Holder(7, "me", 4)),
        Sighting((PROG, 8), Holder(8, "you", 3)),
    ]
