"""Blueprints of struct_ops, from compiled objects and by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.reader import parse_object, read_object
from bpfctl.elf.spec import StructOpsSpec
from bpfctl.errors import ObjectFileError
from bpfctl.kernel.uapi import MapType
from tests.builders.elf import OBJECT, ElfBuilder

DATA = Path(__file__).parents[2] / "data"
LINK = 1 << 13


def test_compiled_implementations() -> None:
    of = read_object(str(DATA / "struct_ops.bpf.o"))
    half, later = (one for one in of.maps if one.type == MapType.STRUCT_OPS)
    assert (half.name, half.key_size, half.max_entries, half.flags) == ("bpfctl_half", 4, 1, 0)
    assert half.struct_ops is not None
    assert half.struct_ops.programs == (
        ("undo_cwnd", "half_undo_cwnd"),
        ("ssthresh", "half_ssthresh"),
        ("cong_avoid", "half_cong_avoid"),
        ("no_such_function", "not_there"),
    )
    assert half.struct_ops.data[8:24] == b"bpfctl_half".ljust(16, b"\0")
    assert not half.struct_ops.optional
    assert later.struct_ops is not None
    assert (later.name, later.struct_ops.optional) == ("bpfctl_later", True)
    assert of.btf is not None
    assert of.btf.name(half.struct_ops.type_id) == "tcp_congestion_ops___local"


def test_a_link_is_a_flag() -> None:
    of = read_object(str(DATA / "struct_ops_link.bpf.o"))
    (one,) = (one for one in of.maps if one.type == MapType.STRUCT_OPS)
    assert (one.name, one.flags) == ("bpfctl_linked", LINK)


INT, FUNCTION_POINTER, STRUCT, VAR = 1, 3, 4, 5


def with_variable(
    variable_type: int = STRUCT,
    *,
    types: bool = True,
    program: str = "struct_ops",
    at: int = 8,
    addend: int = 0,
    size: int = 16,
    number: int = 7,
) -> bytes:
    """An object with a struct { int number; int (*call)(); } whose pointer is a program."""
    btf = BtfBuilder()
    btf.add(t.Int(1, "int", 4, 1, 0, 32))
    btf.add(t.FuncProto(2, "", 1, ()))
    btf.add(t.Ptr(3, "", 2))
    members = (t.Member("number", 1, 0), t.Member("call", 3, 64))
    btf.add(t.Struct(4, "ops", 16, members))
    btf.add(t.Var(5, "mine", variable_type, t.VarLinkage.GLOBAL_ALLOCATED))
    btf.add(t.Datasec(6, ".struct_ops", 0, (t.VarSecinfo(5, 0, 16),)))
    builder = ElfBuilder()
    function = builder.function("prog", program)
    data = number.to_bytes(8, "little") + addend.to_bytes(8, "little")
    section = builder.section(".struct_ops", data[:size])
    builder.symbol("mine", section, 0, size, type=OBJECT)
    builder.relocation(section, at, builder.symbol("prog", function, 0))
    if types:
        builder.section(".BTF", btf.build(), flags=0)
    return builder.build()


def test_by_hand() -> None:
    (made,) = parse_object(with_variable()).maps
    assert made.struct_ops == StructOpsSpec(
        STRUCT, b"\7" + bytes(15), (("call", "prog"),), optional=False
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(with_variable(INT), "has mine, which is no struct", id="no struct"),
        pytest.param(with_variable(types=False), "has no types: compile with -g", id="no types"),
        pytest.param(
            with_variable(program="xdp"), "refers to prog, which is no program of a section struct",
            id="another program",
        ),
        pytest.param(
            with_variable(program=".text"), "refers to prog, which is no program of a section",
            id="no program",
        ),
        pytest.param(
            with_variable(addend=8), "refers to prog, which is no program", id="inside a program"
        ),
        pytest.param(
            with_variable(at=0, number=0), "refers to prog where ops has no pointer to a function",
            id="number",
        ),
        pytest.param(
            with_variable(at=4, number=0), "refers to prog where ops has no pointer",
            id="no member",
        ),
        pytest.param(with_variable(size=12), "variable mine behind its end", id="cut"),
    ],
)  # fmt: skip
def test_what_makes_no_sense(data: bytes, message: str) -> None:
    with pytest.raises(ObjectFileError, match=message) as raised:
        parse_object(data, "x.o")
    assert raised.value.section == ".struct_ops"
