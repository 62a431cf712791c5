"""Types as C: each construct, and all of a header; kernel tests let a compiler judge it."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.c_dump import FOOT, HEAD, POP, Wanted, c_header
from bpfctl.btf.decode import Btf
from bpfctl.errors import BtfError
from tests.builders.btf import build

INT = t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32)
CHAR = t.Int(2, "char", 1, t.IntEncoding.SIGNED, 0, 8)
LONG = t.Int(3, "long unsigned int", 8, 0, 0, 64)
BASE = (INT, CHAR, LONG)
M = t.Member


def btf_of(*types: t.Type) -> Btf:
    """Types behind the three integers: the first has id 4."""
    return Btf.parse(build((*BASE, *types)))


def text(*types: t.Type, in_order: bool = True) -> str:
    """What a header says between its first and its last lines."""
    btf = btf_of(*types)
    whole = "".join(c_header(btf, Wanted.everything(btf, in_order=in_order)))
    assert whole.startswith(HEAD)
    assert whole.endswith(POP + FOOT)
    return whole.removeprefix(HEAD).removesuffix(POP + FOOT).strip("\n")


def member(*types: t.Type) -> str:
    """How C declares a member of the last of the types, in a struct of 8 bytes."""
    last = 3 + len(types)
    struct = t.Struct(last + 1, "s", 8, (M("m", last, 0),))
    found = text(*types, struct)
    begin = found.index("struct s {")
    return found[begin:].split("\n")[1].strip()


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        pytest.param((t.Ptr(4, "", 0),), "void *m;", id="void pointer"),
        pytest.param((t.Ptr(4, "", 1), t.Ptr(5, "", 4)), "int **m;", id="two stars"),
        pytest.param((t.Const(4, "", 2), t.Ptr(5, "", 4)), "const char *m;", id="const char"),
        pytest.param((t.Ptr(4, "", 2), t.Const(5, "", 4)), "char *const m;", id="const pointer"),
        pytest.param(
            (t.Volatile(4, "", 1), t.Const(5, "", 4), t.Ptr(6, "", 5)),
            "const volatile int *m;",
            id="two qualifiers",
        ),
        pytest.param(
            (t.Array(4, "", 2, 1, 4), t.Array(5, "", 4, 1, 2)), "char m[2][4];", id="matrix"
        ),
        pytest.param(
            (t.Array(4, "", 1, 1, 4), t.Ptr(5, "", 4)), "int (*m)[4];", id="pointer to an array"
        ),
        pytest.param((t.Const(4, "", 2), t.Array(5, "", 4, 1, 8)), "const char m[8];", id="const"),
        pytest.param(
            (t.Array(4, "", 2, 1, 8), t.Const(5, "", 4)), "const char m[8];", id="const array"
        ),
        pytest.param(
            (t.Const(4, "", 2), t.Array(5, "", 4, 1, 8), t.Const(6, "", 5)),
            "const char m[8];",
            id="const array of const",
        ),
        pytest.param(
            (t.FuncProto(4, "", 0, ()), t.Ptr(5, "", 4)), "void (*m)(void);", id="function"
        ),
        pytest.param(
            (
                t.Ptr(4, "", 2),
                t.FuncProto(5, "", 4, (t.Param("fmt", 4), t.Param("", 1), t.Param("", 0))),
                t.Ptr(6, "", 5),
            ),
            "char *(*m)(char *fmt, int, ...);",
            id="parameters",
        ),
        pytest.param(
            (t.FuncProto(4, "", 1, ()), t.Ptr(5, "", 4), t.Array(6, "", 5, 1, 1)),
            "int (*m[1])(void);",
            id="array of functions",
        ),
        pytest.param(
            (
                t.FuncProto(4, "", 1, ()), t.Ptr(5, "", 4),
                t.FuncProto(6, "", 5, ()), t.Ptr(7, "", 6),
            ),
            "int (*(*m)(void))(void);",
            id="function that returns a function",
        ),
        pytest.param(
            (t.FuncProto(4, "", 1, ()), t.Const(5, "", 4), t.Ptr(6, "", 5)),
            "int (*m)(void);",
            id="const function",
        ),
        pytest.param(
            (t.TypeTag(4, "user", 1), t.Ptr(5, "", 4)),
            'int __attribute__((btf_type_tag("user"))) *m;',
            id="tag",
        ),
        pytest.param(
            (t.TypeTag(4, 'x"))) evil', 1), t.Ptr(5, "", 4)), "int *m;", id="hostile tag"
        ),
        pytest.param((t.Int(4, "bool", 1, t.IntEncoding.BOOL, 0, 8),), "_Bool m;", id="bool"),
        pytest.param((t.Float(4, "double", 8),), "double m;", id="double"),
        pytest.param(
            (t.Typedef(4, "__builtin_va_list", 2),),
            "__builtin_va_list___2 m;",
            id="the compiler's own",
        ),
    ],
)  # fmt: skip
def test_declarators(types: tuple[t.Type, ...], expected: str) -> None:
    assert member(*types) == expected


def test_a_struct_and_what_it_needs() -> None:
    """Behind a pointer a declaration is enough, by value it takes the definition."""
    assert text(
        t.Struct(4, "outer", 24, (M("in", 5, 0), M("far", 7, 64), M("next", 8, 128))),
        t.Struct(5, "inner", 8, (M("x", 3, 0),)),
        t.Struct(6, "other", 4, (M("y", 1, 0),)),
        t.Ptr(7, "", 6),
        t.Ptr(8, "", 4),
    ) == (
        "struct inner {\n\tlong unsigned int x;\n};\n\nstruct other;\n\nstruct outer;\n\n"
        "struct outer {\n\tstruct inner in;\n\tstruct other *far;\n\tstruct outer *next;\n};\n\n"
        "struct other {\n\tint y;\n};"
    )


def test_a_typedef_of_a_struct_that_uses_it() -> None:
    assert text(
        t.Typedef(4, "node_t", 5),
        t.Struct(5, "node", 16, (M("next", 6, 0), M("value", 7, 64))),
        t.Ptr(6, "", 4),
        t.Enum(7, "hue", 4, signed=False, values=(t.EnumValue("RED", 0),)),
    ) == (
        "struct node;\n\ntypedef struct node node_t;\n\nenum hue {\n\tRED = 0,\n};\n\n"
        "struct node {\n\tnode_t *next;\n\tenum hue value;\n};"
    )


def test_nameless_members_come_with_their_bodies() -> None:
    assert text(
        t.Struct(4, "s", 16, (M("", 5, 0), M("tail", 7, 64))),
        t.Struct(5, "", 8, (M("a", 3, 0), M("", 6, 0)), is_union=True),
        t.Struct(6, "", 8, (M("lo", 1, 0), M("hi", 1, 32))),
        t.Struct(7, "", 4, (M("b", 1, 0),)),
    ) == (
        "struct s {\n\tunion {\n\t\tlong unsigned int a;\n\t\tstruct {\n\t\t\tint lo;\n"
        "\t\t\tint hi;\n\t\t};\n\t};\n\tstruct {\n\t\tint b;\n\t} tail;\n};"
    )


@pytest.mark.parametrize(
    ("union", "body"),
    [
        pytest.param(t.Struct(4, "u", 8, (), is_union=True), "\tlong : 64;\n", id="empty"),
        pytest.param(
            t.Struct(4, "u", 8, (M("a", 1, 0),), is_union=True),
            "\tint a;\n\tlong : 64;\n", id="half",
        ),
        pytest.param(
            t.Struct(4, "u", 32, (M("a", 1, 0),), is_union=True),
            "\tint a;\n\tunsigned char __padding1[32];\n", id="aligned",
        ),
        pytest.param(
            t.Struct(4, "u", 8, (M("a", 1, 0), M("b", 3, 0)), is_union=True),
            None, id="full",
        ),
    ],
)  # fmt: skip
def test_unions_larger_than_their_members(union: t.Struct, body: str | None) -> None:
    found = text(union)
    assert found == f"union u {{\n{body}}};" if body else "long :" not in found


def test_a_nameless_member_with_a_tag() -> None:
    """Programs are not compiled with -fms-extensions: without a body it would declare nothing."""
    found = text(t.Struct(4, "inner", 4, (M("x", 1, 0),)), t.Struct(5, "outer", 4, (M("", 4, 0),)))
    assert found.endswith("struct outer {\n\tstruct {\n\t\tint x;\n\t};\n};")


@pytest.mark.parametrize(
    ("size_bytes", "members", "expected"),
    [
        pytest.param(
            16, (M("a", 2, 0), M("b", 3, 64)), ["char a", "long unsigned int b"], id="C's own",
        ),
        pytest.param(
            16, (M("a", 2, 0), M("b", 2, 64)), ["char a", "long : 56", "char b", "long : 56"],
            id="hole",
        ),
        pytest.param(
            9, (M("a", 2, 0), M("b", 3, 8)), ["char a", "long unsigned int b", "packed"],
            id="packed",
        ),
        pytest.param(
            6, (M("a", 1, 0), M("b", 2, 40)), ["int a", "long : 8", "char b", "packed"],
            id="packed by its size, with a hole",
        ),
        pytest.param(
            4, (M("a", 1, 0, 3), M("b", 1, 3, 29)), ["int a : 3", "int b : 29"], id="bit-fields"
        ),
        pytest.param(
            8, (M("a", 1, 0, 20), M("b", 1, 32, 20)), ["int a : 20", "int b : 20"],
            id="bit-fields of two units",
        ),
        pytest.param(
            8, (M("a", 1, 0, 3), M("b", 1, 32, 3)), ["int a : 3", "long : 29", "int b : 3"],
            id="a hole between bit-fields",
        ),
        pytest.param(
            8, (M("a", 1, 0, 20), M("b", 1, 20, 20)),
            ["int a : 20", "int b : 20", "long : 24", "packed"],
            id="a bit-field that straddles",
        ),
        pytest.param(
            24, (M("a", 1, 0),), ["int a", "long : 32", "long : 64", "long : 64"], id="long tail"
        ),
        pytest.param(
            1 << 20, (M("a", 1, 0),),
            ["int a", "long : 32", f"unsigned char __padding1[{(1 << 20) - 8}]"],
            id="very long tail",
        ),
    ],
)  # fmt: skip
def test_layout(size_bytes: int, members: tuple[t.Member, ...], expected: list[str]) -> None:
    packed = expected[-1] == "packed"
    lines = "".join(f"\t{line};\n" for line in expected[: len(expected) - packed])
    tail = " __attribute__((packed))" if packed else ""
    assert text(t.Struct(4, "s", size_bytes, members)) == f"struct s {{\n{lines}}}{tail};"


def test_bit_fields_as_they_were_before_4_20() -> None:
    three = t.Int(4, "unsigned int", 4, 0, 0, 3)
    struct = t.Struct(5, "s", 4, (M("a", 4, 0), M("b", 4, 3)))
    assert text(three, struct) == ("struct s {\n\tunsigned int a : 3;\n\tunsigned int b : 3;\n};")


@pytest.mark.parametrize(
    ("size_bytes", "value", "expected"),
    [
        pytest.param(4, -1, "-1,\n}", id="usual"),
        pytest.param(1, 1, "1,\n} __attribute__((mode(QI)))", id="byte"),
        pytest.param(2, 1, "1,\n} __attribute__((mode(HI)))", id="two bytes"),
        pytest.param(8, 2**63, "9223372036854775808ULL,\n} __attribute__((mode(DI)))", id="big"),
        pytest.param(8, -(2**40), "-1099511627776LL,\n} __attribute__((mode(DI)))", id="low"),
    ],
)
def test_enum(size_bytes: int, value: int, expected: str) -> None:
    values = (t.EnumValue("V", value),)
    enum = t.Enum(4, "e", size_bytes, signed=value < 0, values=values, is64=size_bytes == 8)
    assert text(enum) == f"enum e {{\n\tV = {expected};"


def test_a_nameless_enum_defines_its_constants_once() -> None:
    """Two structs may share one: what is the same is stored once in BTF."""
    enum = t.Enum(4, "", 4, signed=False, values=(t.EnumValue("ON", 1),))
    found = text(enum, t.Struct(5, "a", 4, (M("x", 4, 0),)), t.Struct(6, "b", 4, (M("x", 4, 0),)))
    assert found == (
        "struct a {\n\tenum {\n\t\tON = 1,\n\t} x;\n};\n\nstruct b {\n\tunsigned int x;\n};"
    )


def test_nameless_enums_nothing_contains() -> None:
    enum = t.Enum(4, "", 4, signed=False, values=(t.EnumValue("ON", 1),))
    assert text(enum) == "enum {\n\tON = 1,\n};"


def test_an_enum_that_is_only_declared() -> None:
    values = (t.EnumValue("A", 0),)
    empty = t.Enum(4, "e", 4, signed=False, values=())
    whole = t.Enum(5, "e", 4, signed=False, values=values)
    assert text(empty, whole) == "enum e;\n\nenum e {\n\tA = 0,\n};"


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        pytest.param(
            (t.Struct(4, "s", 4, (M("x", 1, 0),)), t.Struct(5, "s", 8, (M("y", 3, 0),))),
            "struct s {\n\tint x;\n};\n\nstruct s___2 {\n\tlong unsigned int y;\n};",
            id="two structs",
        ),
        pytest.param(
            (t.Fwd(4, "s"), t.Ptr(5, "", 4), t.Typedef(6, "s_p", 5), t.Struct(7, "s", 0, ())),
            "struct s;\n\ntypedef struct s *s_p;\n\nstruct s {};",
            id="declared, then defined",
        ),
        pytest.param(
            (
                t.Fwd(4, "s", is_union=True), t.Ptr(5, "", 4), t.Typedef(6, "s_p", 5),
                t.Struct(7, "s", 0, ()),
            ),
            "union s;\n\ntypedef union s *s_p;\n\nstruct s___2 {};",
            id="declared as a union",
        ),
        pytest.param(
            (
                t.Struct(4, "s", 0, ()),
                t.Enum(5, "s", 4, signed=False, values=(t.EnumValue("s", 0),)),
                t.Typedef(6, "s", 1),
            ),
            "struct s {};\n\nenum s___2 {\n\ts = 0,\n};\n\ntypedef int s___2;",
            id="tags are one name space, constants and typedefs another",
        ),
        pytest.param(
            (t.Struct(4, "a::b<u8>", 0, ()), t.Typedef(5, "1st", 1)),
            "struct a__b_u8_ {};\n\ntypedef int _1st;",
            id="no names of C",
        ),
    ],
)  # fmt: skip
def test_names(types: tuple[t.Type, ...], expected: str) -> None:
    assert text(*types) == expected


def test_a_suffix_may_be_taken() -> None:
    """The kernel's own names may end as ours do."""
    found = text(t.Typedef(4, "x", 1), t.Typedef(5, "x___2", 1), t.Typedef(6, "x", 2))
    assert found.split("\n")[-1] == "typedef char x___3;"


def test_numbers_of_other_compilers() -> None:
    """Only those in use are defined: an array's index is written nowhere."""
    assert text(
        t.Int(4, "__Poly8_t", 1, 0, 0, 8), t.Int(5, "sizetype", 8, 0, 0, 64),
        t.Array(6, "", 4, 5, 2), t.Typedef(7, "poly", 6),
    ) == "typedef unsigned char __Poly8_t;\n\ntypedef __Poly8_t poly[2];"  # fmt: skip


def test_sorted_by_name_with_enums_first() -> None:
    types = (
        t.Struct(4, "b", 0, ()), t.Typedef(5, "a", 1),
        t.Enum(6, "z", 4, signed=False, values=(t.EnumValue("Z", 0),)),
    )  # fmt: skip
    assert text(*types, in_order=False) == (
        "enum z {\n\tZ = 0,\n};\n\ntypedef int a;\n\nstruct b {};"
    )


def test_kernel_functions() -> None:
    """Those that programs may call carry a tag; other functions are not declared."""
    found = text(
        t.FuncProto(4, "", 6, (t.Param("task", 6),)),
        t.Struct(5, "task", 0, ()),
        t.Ptr(6, "", 5),
        t.Func(7, "get_task", 4, t.FuncLinkage.STATIC),
        t.Func(8, "secret", 4, t.FuncLinkage.STATIC),
        t.DeclTag(9, "bpf_kfunc", 7, -1),
    )
    assert "extern struct task *get_task(struct task *task) __weak __ksym;\n#endif" in found
    assert "secret" not in found
    assert found.index("struct task {}") < found.index("get_task")


def test_one_type_with_what_it_needs() -> None:
    btf = btf_of(
        t.Struct(4, "wanted", 8, (M("p", 5, 0),)), t.Ptr(5, "", 6), t.Struct(6, "far", 0, ()),
        t.Struct(7, "more", 0, ()),
    )  # fmt: skip
    body = "".join(c_header(btf, Wanted([4], [], []))).removeprefix(HEAD).removesuffix(POP + FOOT)
    assert body == "\nstruct far;\n\nstruct wanted {\n\tstruct far *p;\n};\n"


@pytest.mark.parametrize(
    ("types", "message"),
    [
        pytest.param(
            (t.Struct(4, "s", 8, (M("me", 4, 0),)),), "type 4 (s) contains itself", id="itself"
        ),
        pytest.param(
            (t.Ptr(4, "", 5), t.Const(5, "", 4), t.Typedef(6, "x", 4)),
            "type 4 is nested too deeply", id="circle",
        ),
        pytest.param(
            (*(t.Typedef(4 + i, f"x{i}", 5 + i) for i in range(2000)), t.Typedef(2004, "x", 1)),
            "types are nested too deeply to be written as C", id="endless",
        ),
        pytest.param(
            (t.FuncProto(4, "", 1, ()), t.Func(5, "f", 4, 0), t.Typedef(6, "x", 5)),
            "type 5 (FUNC) cannot be the type of anything", id="function as a type",
        ),
        pytest.param(
            (t.Struct(4, "s", 8, (M("f", 5, 0),)), t.FuncProto(5, "", 1, ())),
            "type 5 has no size", id="no size",
        ),
    ],
)  # fmt: skip
def test_broken(types: tuple[t.Type, ...], message: str) -> None:
    with pytest.raises(BtfError) as caught:
        text(*types)
    assert caught.value.message == message


def test_a_size_of_zero_divides_nothing() -> None:
    struct = t.Struct(5, "s", 8, (M("a", 4, 0, 3),))
    assert "unsigned int a : 3" in text(t.Int(4, "unsigned int", 0, 0, 0, 32), struct)


def test_bodies_without_end() -> None:
    """Each level has the one below twice: 2**30 members in 30 types."""
    levels = [t.Struct(4, "", 4, (M("a", 1, 0),))]
    for type_id in range(5, 35):
        below = type_id - 1
        levels.append(t.Struct(type_id, "", 4, (M("x", below, 0), M("y", below, 0)), is_union=True))
    with pytest.raises(BtfError, match="is too large to be written as C"):
        text(*levels, t.Struct(35, "s", 4, (M("", 34, 0),)))
