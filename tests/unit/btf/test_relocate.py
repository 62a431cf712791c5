"""Types on a small base of their own, put on those of a kernel."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.relocate import check_base, relocated
from bpfctl.errors import BtfError
from tests.builders.btf import parsed

INT = t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32)
MEMBER = (t.Member("m", 1, 0),)
KERNEL: tuple[t.Type, ...] = (
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Struct(2, "list", 16, MEMBER),
    t.Struct(3, "twice", 8, MEMBER),
    t.Struct(4, "twice", 16, MEMBER),
    t.Enum(5, "state", 8, signed=False, values=(t.EnumValue("UP", 1),), is64=True),
    t.Float(6, "double", 8),
    t.Fwd(7, "later"),
    t.Struct(8, "same", 8, MEMBER),
    t.Struct(9, "same", 8, ()),
    t.Struct(10, "list", 16, (), is_union=True),
    t.Int(11, "bits", 4, 0, 0, 32),
)


def small(*types: t.Type) -> Btf:
    return parsed(INT, *types)


def split(base: Btf, *types: t.Type) -> Btf:
    return parsed(*types, base=base)


def test_everything_finds_its_place() -> None:
    """Ids of the small base become the kernel's, and the module's own go on behind those."""
    base = small(
        t.Struct(2, "list", 16, ()),
        t.Enum(3, "state", 8, signed=False, values=()),
        t.Struct(4, "twice", 16, ()),
        t.Float(5, "double", 8),
        t.Fwd(6, "later"),
        t.Fwd(7, "list"),
        t.Struct(8, "list", 16, (), is_union=True),
    )
    mine = split(
        base,
        t.Ptr(9, "", 10),
        t.Struct(10, "own", 24, (t.Member("head", 2, 0), t.Member("next", 9, 128))),
        t.FuncProto(11, "", 1, (t.Param("s", 3), t.Param("t", 4), t.Param("d", 5))),
        t.Func(12, "list", 11, t.FuncLinkage.STATIC),
        t.Ptr(13, "", 6),
        t.Ptr(14, "", 7),
        t.Ptr(15, "", 8),
    )
    kernel = parsed(*KERNEL)
    found = relocated(mine, kernel)
    assert found.base is kernel
    assert list(found.types()) == [
        t.Ptr(12, "", 13),
        t.Struct(13, "own", 24, (t.Member("head", 2, 0), t.Member("next", 12, 128))),
        t.FuncProto(14, "", 1, (t.Param("s", 5), t.Param("t", 4), t.Param("d", 6))),
        t.Func(15, "list", 14, t.FuncLinkage.STATIC),
        t.Ptr(16, "", 7),
        t.Ptr(17, "", 2),
        t.Ptr(18, "", 10),
    ]


def test_sizes_count_where_a_struct_is_embedded_alone() -> None:
    """Behind a pointer a struct may have grown; in an array inside of a struct it may not."""
    base = small(t.Struct(2, "list", 12, ()))
    kernel = parsed(*KERNEL)
    assert relocated(split(base, t.Ptr(3, "", 2)), kernel).type(12) == t.Ptr(12, "", 2)
    inside = (
        t.Const(3, "", 2),
        t.Array(4, "", 3, 1, 2),
        t.Typedef(5, "pair_t", 4),
        t.Struct(6, "own", 24, (t.Member("pair", 5, 0),)),
    )
    with pytest.raises(BtfError) as caught:
        relocated(split(base, *inside), kernel)
    assert caught.value.evidence == ["it has no struct list of 12 bytes, only of 16"]


@pytest.mark.parametrize(
    ("wanted", "evidence"),
    [
        pytest.param(t.Struct(2, "gone", 8, ()), "it has no struct gone of 8 bytes", id="struct"),
        pytest.param(
            t.Struct(2, "twice", 24, ()),
            "it has no struct twice of 24 bytes, only of 8 and 16",
            id="several",
        ),
        pytest.param(
            t.Struct(2, "same", 8, ()), "it has 2 of struct same of 8 bytes", id="ambiguous"
        ),
        pytest.param(
            t.Int(2, "bits", 4, t.IntEncoding.SIGNED, 0, 32),
            "it has no type bits of 4 bytes",
            id="sign",
        ),
        pytest.param(
            t.Float(2, "double", 16), "it has no type double of 16 bytes, only of 8", id="float"
        ),
        pytest.param(
            t.Enum(2, "state", 4, signed=False, values=()),
            "it has no enum state of 4 bytes",
            id="enum",
        ),
        pytest.param(t.Fwd(2, "same"), "it has 2 of struct same", id="declared"),
        pytest.param(t.Fwd(2, "later", is_union=True), "it has no union later", id="other-kind"),
    ],
)
def test_what_a_kernel_lacks(wanted: t.Type, evidence: str) -> None:
    with pytest.raises(BtfError, match="cannot be put on those of") as caught:
        relocated(split(small(wanted), t.Ptr(3, "", 2)), parsed(*KERNEL))
    assert (caught.value.code, caught.value.evidence) == ("btf-base-differs", [evidence])


def test_much_that_is_lacking_is_counted() -> None:
    gone = [t.Struct(number, f"gone{number}", 8, ()) for number in range(2, 10)]
    with pytest.raises(BtfError) as caught:
        relocated(split(small(*gone), t.Ptr(10, "", 2)), parsed(*KERNEL))
    assert len(caught.value.evidence) == 6
    assert caught.value.evidence[-1] == "and 3 more"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (t.Struct(2, "", 8, ()), "type 2 of the base has no name"),
        (t.Typedef(2, "int_t", 1), "type 2 of the base is of kind typedef"),
    ],
)
def test_no_such_small_base(wrong: t.Type, words: str) -> None:
    with pytest.raises(BtfError, match=words):
        relocated(split(small(wrong), t.Ptr(3, "", 2)), parsed(*KERNEL))


def test_arrays_without_an_end() -> None:
    mine = (t.Array(3, "", 3, 1, 2), t.Struct(4, "own", 8, (t.Member("m", 3, 0),)))
    with pytest.raises(BtfError, match="nested too deeply"):
        relocated(split(small(t.Struct(2, "list", 16, ())), *mine), parsed(*KERNEL))


def test_another_base() -> None:
    """Types are built for one base, and name its strings by their places."""
    base = parsed(INT, t.Struct(2, "known", 4, MEMBER))
    data = bytearray(split(base, t.Struct(3, "known", 8, ())).data)
    data[24:28] = base.data[base.record_offset(2) :][:4]  # the base's string, not its own
    check_base(Btf.parse(bytes(data), base=base))
    other = parsed(t.Struct(1, "a_longer_name", 4, ()), t.Struct(2, "m", 4, ()))
    with pytest.raises(BtfError, match="based on others than those of the base") as caught:
        check_base(Btf.parse(bytes(data), base=other))
    assert caught.value.code == "btf-base-differs"
