"""CO-RE relocations of fields: pairs of what an object and what a kernel says."""

from __future__ import annotations

import pytest

from bpfctl.btf.core_fixup import CoreFixup, CoreKind, MemorySize

from .core_pairs import Types, fixup

OFFSET = CoreKind.FIELD_BYTE_OFFSET
SIZE = CoreKind.FIELD_BYTE_SIZE
EXISTS = CoreKind.FIELD_EXISTS
SIGNED = CoreKind.FIELD_SIGNED
INT, UINT, U16, U64, LONG = Types.INT, Types.UINT, Types.U16, Types.U64, Types.LONG


def test_everything_a_fixup_says() -> None:
    local, kernel = Types(), Types()
    root = local.struct("task", ("x", INT, 0), ("pid", INT, 4))
    kernel.struct("task", ("y", LONG, 0), ("pid", INT, 24))
    assert fixup(local, root, "0:1", OFFSET, kernel) == CoreFixup(
        OFFSET,
        "struct task.pid (0:1)",
        value=24,
        original=4,
        memory=MemorySize(4, 4, adjustable=False),
        target="struct task [7]",
        candidates=("struct task [7]",),
    )


def test_a_field_that_is_gone() -> None:
    local, kernel = Types(), Types()
    root = local.struct("task", ("state", INT, 4))
    kernel.struct("task", ("__state", INT, 24), ("stack", INT, 28))
    found = fixup(local, root, "0:0", OFFSET, kernel)
    assert found == CoreFixup(
        OFFSET,
        "struct task.state (0:0)",
        poison=True,
        candidates=("struct task [7]",),
        reason='the kernel\'s struct task has no member "state"',
        missing="state",
        available=("__state", "stack"),
    )
    assert found.nearest(1) == ["__state"]


def test_a_struct_that_is_gone() -> None:
    local, kernel = Types(), Types()
    root = local.struct("task", ("state", INT, 4))
    found = fixup(local, root, "0:0", OFFSET, kernel)
    assert found == CoreFixup(
        OFFSET, "struct task.state (0:0)", poison=True, reason="the kernel has no struct task"
    )
    assert found.nearest() == []


def test_an_anonymous_root_is_never_found() -> None:
    local, kernel = Types(), Types()
    root = local.struct("", ("x", INT, 4))
    kernel.struct("", ("x", INT, 4))
    assert fixup(local, root, "0:0", OFFSET, kernel).poison


@pytest.mark.parametrize(
    ("kind", "value", "original"),
    [(OFFSET, 16, 8), (SIZE, 2, 4), (EXISTS, 1, 1), (SIGNED, 0, 1)],
    ids=lambda kind: kind.name if isinstance(kind, CoreKind) else "",
)
def test_what_is_asked(kind: CoreKind, value: int, original: int) -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 8))
    kernel.struct("s", ("x", U16, 16))
    found = fixup(local, root, "0:0", kind, kernel)
    assert (found.value, found.original, found.poison) == (value, original, False)


def test_existence_is_0_without_the_field() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 8))
    kernel.struct("s", ("y", INT, 8))
    found = fixup(local, root, "0:0", EXISTS, kernel)
    assert (found.value, found.original, found.poison) == (0, 1, False)
    assert found.missing == "x"


def test_nested_and_anonymous_members() -> None:
    """The object's layout has other anonymous levels than the kernel's: names decide."""
    local, kernel = Types(), Types()
    inner = local.struct("in", ("a", INT, 0), ("b", INT, 4), size=8)
    anonymous = local.struct("", ("first", INT, 0), ("in", inner, 8), union=True)
    root = local.struct("out", ("pad", INT, 0), ("", anonymous, 8))

    theirs = kernel.struct("in", ("z", LONG, 0), ("b", INT, 12), size=16)
    deep = kernel.struct("", ("junk", INT, 0), ("in", theirs, 4), size=24)
    middle = kernel.struct("", ("other", INT, 0), ("", kernel.const(deep), 8), union=True)
    kernel.struct("out", ("", middle, 32))
    found = fixup(local, root, "0:1:1:1", OFFSET, kernel)
    assert found.spec_text == "struct out.in.b (0:1:1:1)"
    assert (found.value, found.original) == (32 + 8 + 4 + 12, 8 + 8 + 4)


def test_typedefs_and_qualifiers_are_looked_through() -> None:
    local, kernel = Types(), Types()
    inner = local.struct("in", ("a", INT, 4), size=8)
    root = local.struct("s", ("in", local.const(local.typedef("in_t", inner)), 0))
    theirs = kernel.struct("in", ("a", INT, 0), size=8)
    kernel.struct("s", ("in", kernel.typedef("other_t", theirs), 16))
    assert fixup(local, root, "0:0:0", OFFSET, kernel).value == 16


@pytest.mark.parametrize("kernel_name", ["s", "s___new", "s___2"])
@pytest.mark.parametrize("local_name", ["s", "s___old"])
def test_flavours(local_name: str, kernel_name: str) -> None:
    local, kernel = Types(), Types()
    root = local.struct(local_name, ("x", INT, 0))
    kernel.struct("s_other", ("x", INT, 8))
    kernel.struct(kernel_name, ("x", INT, 16))
    assert fixup(local, root, "0:0", OFFSET, kernel).value == 16


def test_only_the_same_kind_is_a_candidate() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 0))
    kernel.struct("s", ("x", INT, 8), union=True)
    kernel.fwd("s")
    kernel.enum("s", A=1)
    found = fixup(local, root, "0:0", OFFSET, kernel)
    assert found.poison
    assert found.candidates == ()


def test_a_typedef_is_a_name_of_its_own() -> None:
    local, kernel = Types(), Types()
    root = local.typedef("atomic_t", local.struct("", ("counter", INT, 0), size=4))
    kernel.struct("atomic_t", ("counter", INT, 4))
    kernel.typedef("atomic_t", kernel.struct("", ("counter", INT, 8), size=16))
    found = fixup(local, root, "0:0", OFFSET, kernel)
    assert (found.value, found.spec_text) == (8, "typedef atomic_t.counter (0:0)")


# --- which fields may stand for each other

_FIELD_TYPES = {
    "int": lambda types: types.INT,
    "long": lambda types: types.LONG,
    "char": lambda types: types.CHAR,
    "float": lambda types: types.float("float", 4),
    "double": lambda types: types.float("double", 8),
    "bitty int": lambda types: types.integer("b", 4, offset_bits=3),
    "ptr": lambda types: types.ptr(types.CHAR),
    "void ptr": lambda types: types.ptr(0),
    "struct": lambda types: types.struct("a"),
    "union": lambda types: types.struct("b", union=True),
    "enum e": lambda types: types.enum("e", A=1),
    "enum e___2": lambda types: types.enum("e___2", B=1),
    "enum64 e": lambda types: types.enum64("e", A=1),
    "enum f": lambda types: types.enum("f", A=1),
    "enum": lambda types: types.enum("", A=1),
    "ints": lambda types: types.array(types.INT, 4),
    "chars": lambda types: types.array(types.CHAR, 9),
    "pointers": lambda types: types.array(types.ptr(types.CHAR), 4),
}
_FAMILIES = [
    {"int", "long", "char"},
    {"float", "double"},
    {"ptr", "void ptr"},
    {"struct", "union"},
    {"enum e", "enum e___2", "enum64 e", "enum"},
    {"enum f", "enum"},
    {"ints", "chars"},
    {"pointers"},
]


@pytest.mark.parametrize("ours", _FIELD_TYPES)
def test_fields_that_agree(ours: str) -> None:
    found = {theirs for theirs in _FIELD_TYPES if _agree(ours, theirs)}
    assert found == {theirs for family in _FAMILIES if ours in family for theirs in family}


def _agree(ours: str, theirs: str) -> int:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", _FIELD_TYPES[ours](local), 0))
    kernel.struct("s", ("x", _FIELD_TYPES[theirs](kernel), 0))
    return fixup(local, root, "0:0", EXISTS, kernel).value


# --- how loads and stores may change


@pytest.mark.parametrize(
    ("ours", "theirs", "memory"),
    [
        pytest.param("uint", "u64", MemorySize(4, 8, adjustable=True), id="unsigned"),
        pytest.param("int", "long", MemorySize(4, 8, adjustable=False), id="signed"),
        pytest.param("int", "u64", MemorySize(4, 8, adjustable=False), id="sign-changes"),
        pytest.param("ptr", "ptr", MemorySize(8, 8, adjustable=True), id="pointer"),
        pytest.param("enum", "enum64", MemorySize(4, 8, adjustable=False), id="enum"),
        pytest.param("uint[2][3]", "u64[4]", None, id="other-arrays"),
        pytest.param("uint[2]", "u64[4]", MemorySize(4, 8, adjustable=True), id="elements"),
    ],
)
def test_memory_size(ours: str, theirs: str, memory: MemorySize | None) -> None:
    def make(types: Types, word: str) -> int:
        if word.endswith("]"):
            word, _, rest = word.partition("[")
            counts = [int(count) for count in rest.replace("]", "").split("[")]
            found = make(types, word)
            for count in reversed(counts):
                found = types.array(found, count)
            return found
        plain = {"int": INT, "uint": UINT, "u64": U64, "long": LONG}
        if word == "ptr":
            return types.ptr(0)
        if word.startswith("enum"):
            return types.enum64("e", A=1) if word == "enum64" else types.enum("e", A=1)
        return plain[word]

    local, kernel = Types(), Types()
    root = local.struct("s", ("x", make(local, ours), 0))
    kernel.struct("s", ("x", make(kernel, theirs), 8))
    found = fixup(local, root, "0:0", OFFSET, kernel)
    assert found.memory == memory
    assert bool(found.reason) == (memory is None or (memory.differs and not memory.adjustable))


@pytest.mark.parametrize(
    ("memory", "words"),
    [
        pytest.param(MemorySize(4, 4, adjustable=False), "", id="same"),
        pytest.param(MemorySize(4, 8, adjustable=True), "", id="adjustable"),
        pytest.param(
            MemorySize(4, 8, adjustable=False), "it has 8 bytes in the kernel and 4", id="signed"
        ),
        pytest.param(MemorySize(0, 4, adjustable=False), "bit-field in the object only", id="here"),
        pytest.param(
            MemorySize(4, 0, adjustable=False), "bit-field in the kernel only", id="there"
        ),
    ],
)
def test_why_a_load_cannot_be_fitted(memory: MemorySize, words: str) -> None:
    assert words in memory.obstacle
    assert bool(memory.obstacle) == bool(words)
