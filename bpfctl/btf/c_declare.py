"""Types as C declares them: what stands before a name, and what behind it.

`int (*name[4])(void *)` is `int (*` before the name and `[4])(void *)` behind it. Both parts of a
type are found once and kept; each use is then a concatenation.
"""

from __future__ import annotations

from bpfctl.btf.c_layout import UNIT_BITS
from bpfctl.btf.c_order import is_c
from bpfctl.btf.c_unique import identifiers
from bpfctl.btf.kinds import Kind
from bpfctl.btf.records import ENUMS, STRUCTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, TypeAlias

    from bpfctl.btf.c_layout import Layouts, Widths
    from bpfctl.btf.c_unique import Names
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.records import Record

    # What stands before a name, with the blank where one is needed, and what behind it.
    Parts: TypeAlias = tuple[str, str]

_QUALIFIERS: Final[dict[int, str]] = {
    Kind.CONST: "const ",
    Kind.VOLATILE: "volatile ",
    Kind.RESTRICT: "restrict ",
}
_INTEGERS: Final = {1: "char", 2: "short", 4: "int", 8: "long long", 16: "__int128"}
# An enum takes 4 bytes, or 8 where a value needs them; any other size has to be told.
_ENUM_MODES: Final = {1: "QI", 2: "HI", 8: "DI"}
MAX_BODY: Final = 1 << 22  # characters; what hostile types have inside doubles with each level


class Declarator(dict[int, "Parts"]):
    """Both parts of declarations by the ids of types, of one BTF, under the names `names` gives.

    Asking for what cannot be the type of a variable raises BtfError.
    """

    def __init__(self, btf: Btf, layouts: Layouts, names: Names) -> None:
        super().__init__()
        self._btf = btf
        self._layouts = layouts
        self._names = names
        self._records = btf.records
        self._texts = btf.texts
        self._constants: set[int] = set()
        self._makers: dict[int, Callable[[Record], Parts]] = {
            Kind.VOID: lambda _: ("void ", ""),
            Kind.INT: self._number,
            Kind.FLOAT: self._number,
            Kind.TYPEDEF: self._typedef,
            Kind.STRUCT: self._struct,
            Kind.UNION: self._struct,
            Kind.FWD: self._forward,
            Kind.ENUM: self._enum,
            Kind.ENUM64: self._enum,
            Kind.PTR: self._pointer,
            Kind.ARRAY: self._array,
            Kind.FUNC_PROTO: self._proto,
            Kind.CONST: self._qualified,
            Kind.VOLATILE: self._qualified,
            Kind.RESTRICT: self._qualified,
            Kind.TYPE_TAG: self._tagged,
        }

    def __missing__(self, type_id: int) -> Parts:
        """Make those of a type."""
        found = self._records[type_id]
        make = self._makers.get(found.kind)
        if make is None:
            what = f"type {type_id} ({found.kind.name}) cannot be the type of anything"
            raise self._btf.error(what, type_id)
        parts = make(found)
        if found.name or found.kind not in ENUMS:  # the second use of a nameless enum is another
            self[type_id] = parts
        return parts

    def declare(self, type_id: int, name: str) -> str:
        """A declaration without its semicolon; an anonymous struct comes with its body."""
        before, behind = self[type_id]
        return f"{before}{name}{behind}" if name else f"{before}{behind}".rstrip()

    # --- one function a kind

    def _number(self, found: Record) -> Parts:
        name = found.name
        if name == "bool":
            return "_Bool ", ""
        return f"{name if is_c(name) else self._names.ident(found)} ", ""

    def _typedef(self, found: Record) -> Parts:
        return f"{self._names.ident(found)} ", ""

    def _struct(self, found: Record) -> Parts:
        word = "struct" if found.kind is Kind.STRUCT else "union"
        return f"{word} {self._names.tag(found) if found.name else self.body(found)} ", ""

    def _forward(self, found: Record) -> Parts:
        return f"{'union' if found.flag else 'struct'} {self._names.tag(found)} ", ""

    def _enum(self, found: Record) -> Parts:
        if found.name:
            return f"enum {self._names.tag(found)} ", ""
        if found.id in self._constants:  # C takes each constant once
            return f"{same_size(found.refers, signed=found.flag)} ", ""
        return f"enum {self.constants(found)} ", ""

    def _pointer(self, found: Record) -> Parts:
        before, behind = self[found.refers]
        if behind:  # an array's or a prototype's brackets bind stronger than the star
            return f"{before}(*", f"){behind}"
        return f"{before}*", ""

    def _array(self, found: Record) -> Parts:
        elem_type_id, _, nelems = found.tail
        before, behind = self[elem_type_id]
        return before, f"[{nelems}]{behind}"

    def _proto(self, found: Record) -> Parts:
        before, behind = self[found.refers]
        return before, f"({self.params(found)}){behind}"

    def params(self, proto: Record) -> str:
        """The parameters of a prototype as they stand between its brackets."""
        names = identifiers(self._texts.several(proto.names()))
        words = [
            self.declare(type_id, name) if type_id else "..."
            for name, type_id in zip(names, proto.tail[1::2], strict=True)
        ]
        return ", ".join(words) or "void"

    def _qualified(self, found: Record) -> Parts:
        word = _QUALIFIERS[found.kind]
        before, behind = self[found.refers]
        if behind.startswith("("):  # no function is const
            return before, behind
        # A pointer's qualifier stands behind its star; an array's belongs to its elements.
        if before.startswith(word):
            return before, behind
        return f"{before}{word}" if "*" in before else f"{word}{before}", behind

    def _tagged(self, found: Record) -> Parts:
        before, behind = self[found.refers]
        if not found.name.isidentifier():
            return before, behind
        tag = found.name if found.flag else f'btf_type_tag("{found.name}")'
        return f"{before}__attribute__(({tag})) ", behind

    # --- bodies

    def body(self, struct: Record) -> str:
        """The members of a struct in braces, and what the compiler must be told about it."""
        plan = self._layouts.plan(struct)
        lines = self._members(struct)
        for place, width in plan.bits.items():
            lines[place] += f" : {width}"
        if plan.fillers:
            lines = _filled(lines, plan.fillers)
        packed = " __attribute__((packed))" if plan.packed else ""
        if sum(map(len, lines)) > MAX_BODY:
            raise self._btf.error(f"type {struct.id} is too large to be written as C", struct.id)
        text = ";\n".join(lines).replace("\n", "\n\t")  # members may have lines of their own
        return f"{{\n\t{text};\n}}{packed}" if lines else f"{{}}{packed}"

    def _members(self, struct: Record) -> list[str]:
        names = identifiers(self._texts.several(struct.names()))
        if all(names):  # nearly always, so it has to be quick
            parts = map(self.__getitem__, struct.references)
            return [
                f"{before}{name}{behind}"
                for name, (before, behind) in zip(names, parts, strict=True)
            ]
        return [
            self.declare(type_id, name) if name else self._nameless(type_id)
            for name, type_id in zip(names, struct.references, strict=True)
        ]

    def _nameless(self, type_id: int) -> str:
        found = self._records[type_id]
        if found.kind not in STRUCTS:
            return self.declare(type_id, "")
        # Linux is compiled with -fms-extensions, where it may have a tag; programs are not.
        return f"{'struct' if found.kind is Kind.STRUCT else 'union'} {self.body(found)}"

    def constants(self, enum: Record) -> str:
        """The constants of an enum in braces, with its size where that is not the usual one."""
        self._constants.add(enum.id)
        names = self._names.all_fresh(identifiers(self._texts.several(enum.names())))
        values = enum.constants()
        # Most are small, and a number by itself is then right: an int, or an unsigned int.
        small = max(values, default=0) < 1 << 32 and min(values, default=0) >= -(1 << 31)
        numbers = values if small else map(_number, values)
        lines = [f"\t{name} = {number},\n" for name, number in zip(names, numbers, strict=True)]
        mode = _ENUM_MODES.get(enum.refers)
        attribute = f" __attribute__((mode({mode})))" if mode else ""
        return "{\n" + "".join(lines) + "}" + attribute


def same_size(size_bytes: int, *, signed: bool) -> str:
    """An integer of that size in bytes (an array of bytes does not fit where one is needed)."""
    return f"{'' if signed else 'unsigned '}{_INTEGERS.get(size_bytes, 'int')}"


def _number(value: int) -> str:
    if -(1 << 31) <= value < 1 << 32:
        return str(value)
    return f"{value}LL" if value < 0 else f"{value}ULL"


def _filled(lines: list[str], fillers: dict[int, Widths]) -> list[str]:
    """The members with padding before them and behind the last; arrays in it have numbers."""
    filled, arrays = list[str](), 0
    for place in range(len(lines) + 1):
        for width in fillers.get(place, ()):
            arrays += width > UNIT_BITS
            filled.append(_filler(width, arrays))
        filled += lines[place : place + 1]
    return filled


def _filler(width: int, number: int) -> str:
    if width > UNIT_BITS:
        return f"unsigned char __padding{number}[{width // 8}]"
    return f"long : {width}"
