"""What is kept of a kernel's types for some relocations; that answers stay is in core_pairs."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.core import CoreTarget
from bpfctl.btf.core_fixup import CoreKind
from bpfctl.btf.core_needs import Needs
from bpfctl.btf.decode import Btf
from bpfctl.btf.ext import CoreRelo
from bpfctl.errors import RelocationError

from .core_pairs import Types

INT, LONG, CHAR, UINT = Types.INT, Types.LONG, Types.CHAR, Types.UINT
OFFSET = CoreKind.FIELD_BYTE_OFFSET


def kept(local: Types, kernel: Types, *asked: tuple[int, str, CoreKind]) -> list[t.Type]:
    """Return what is left of the kernel's types."""
    needs = Needs(CoreTarget(kernel.btf()))
    btf = local.btf()
    for root, access, kind in asked:
        needs.add(btf, CoreRelo(0, root, access, kind))
    return list(Btf.parse(needs.build()).types())


def test_only_the_members_on_the_way() -> None:
    local, kernel = Types(), Types()
    inner = local.struct("in", ("y", INT, 0))
    root = local.struct("out", ("i", inner, 0), ("p", local.ptr(inner), 8))
    big = kernel.struct("in", ("x", LONG, 0), ("y", INT, 8), ("z", INT, 12), size=16)
    word = kernel.typedef("word", kernel.const(big))
    pointer = kernel.ptr(big)
    kernel.struct("out", ("a", INT, 0), ("i", word, 8), ("p", pointer, 24), size=32)
    assert kept(local, kernel, (root, "0:0:0", OFFSET)) == [
        t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
        t.Struct(2, "in", 16, (t.Member("y", 1, 64),)),
        t.Const(3, "", 2),
        t.Typedef(4, "word", 3),
        t.Struct(5, "out", 32, (t.Member("i", 4, 64),)),
    ]
    assert kept(local, kernel, (root, "0:1", OFFSET)) == [
        t.Ptr(1, "", 0),
        t.Struct(2, "out", 32, (t.Member("p", 1, 192),)),
    ]


def test_anonymous_members_and_arrays() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("a", local.array(INT, 4), 0))
    hidden = kernel.struct("", ("b", INT, 0), ("a", kernel.array(INT, 8), 4), size=36, union=False)
    either = kernel.struct("", ("n", LONG, 0), ("", hidden, 0), size=36, union=True)
    kernel.struct("s", ("x", INT, 0), ("", either, 4), size=40)
    found = kept(local, kernel, (root, "0:0:2", OFFSET))
    assert found == [
        t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
        t.Int(2, "unsigned int", 4, 0, 0, 32),
        t.Array(3, "", 1, 2, 8),
        t.Struct(4, "", 36, (t.Member("a", 3, 32),)),
        t.Struct(5, "", 36, (t.Member("", 4, 0),), is_union=True),
        t.Struct(6, "s", 40, (t.Member("", 5, 32),)),
    ]


def test_all_that_could_be_meant() -> None:
    """Of two structs of one name, both if both have the member, and else the one that has it."""
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 0), ("y", INT, 4))
    kernel.struct("s", ("x", INT, 8), size=16)
    kernel.struct("s", ("x", INT, 8), ("y", INT, 16), size=24)
    both = kept(local, kernel, (root, "0:0", OFFSET))
    assert [one.name for one in both] == ["int", "s", "s"]
    assert [one.name for one in kept(local, kernel, (root, "0:1", OFFSET))] == ["int", "s"]


def test_types_with_what_they_are_compared_by() -> None:
    local, kernel = Types(), Types()
    for one in (local, kernel):
        other = one.struct("other", ("z", INT, 0))
        proto = one.func_proto(INT, one.ptr(other))
        one.typedef("fn", one.ptr(proto))
        one.struct("s", ("f", one.ptr(proto), 0), ("n", CHAR, 8), size=16)
    root = local.btf().find("s", t.Kind.STRUCT)
    fn = local.btf().find("fn", t.Kind.TYPEDEF)
    assert root is not None
    assert fn is not None
    size = kept(local, kernel, (root, "0", CoreKind.TYPE_SIZE))
    assert size == [t.Struct(1, "s", 16, ())]
    names = [
        (one.kind.name, one.name) for one in kept(local, kernel, (fn, "0", CoreKind.TYPE_EXISTS))
    ]
    assert names == [
        ("INT", "int"), ("STRUCT", "other"), ("PTR", ""), ("FUNC_PROTO", ""), ("PTR", ""),
        ("TYPEDEF", "fn"),
    ]  # fmt: skip
    matched = kept(local, kernel, (root, "0", CoreKind.TYPE_MATCHES))
    structs = {one.name: len(one.members) for one in matched if isinstance(one, t.Struct)}
    assert structs == {"other": 0, "s": 2}


def test_constants_and_what_needs_nothing() -> None:
    local, kernel = Types(), Types()
    root = local.enum("e", A=0, B=1)
    kernel.enum("e", A=0, C=1, B=2)
    assert kept(local, kernel, (root, "1", CoreKind.TYPE_ID_LOCAL)) == []
    assert kept(local, kernel, (local.enum("gone", A=0), "0", CoreKind.ENUMVAL_EXISTS)) == []
    values = (t.EnumValue("A", 0), t.EnumValue("C", 1), t.EnumValue("B", 2))
    assert kept(local, kernel, (root, "1", CoreKind.ENUMVAL_VALUE)) == [
        t.Enum(1, "e", 4, signed=False, values=values)
    ]


def test_a_relocation_that_makes_no_sense() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 0))
    kernel.struct("s", ("x", INT, 0))
    with pytest.raises(RelocationError, match="asks for member 7"):
        kept(local, kernel, (root, "0:7", OFFSET))
