"""Types as C declares them: what stands before a name, and what behind it.

`int (*name[4])(void *)` is `int (*` before the name and `[4])(void *)` behind it. Both parts of a
type are found once and kept; each use is then a concatenation.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.c_layout import UNIT_BITS
from bpfctl.btf.c_order import is_c
from bpfctl.btf.c_unique import identifier
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from bpfctl.btf.c_layout import Layouts
    from bpfctl.btf.c_unique import Names
    from bpfctl.btf.decode import Btf

_QUALIFIERS: Final[dict[type[t.Type], str]] = {
    t.Const: "const ",
    t.Volatile: "volatile ",
    t.Restrict: "restrict ",
}
_INTEGERS: Final = {1: "char", 2: "short", 4: "int", 8: "long long", 16: "__int128"}
# An enum takes 4 bytes, or 8 where a value needs them; any other size has to be told.
_ENUM_MODES: Final = {1: "QI", 2: "HI", 8: "DI"}
MAX_BODY: Final = 1 << 22  # characters; what hostile types have inside doubles with each level
_INT: Final = range(-(1 << 31), 1 << 31)
_UNSIGNED: Final = range(1 << 32)


class Parts(NamedTuple):
    """What stands before a name, with the blank where one is needed, and what behind it."""

    before: str
    behind: str = ""


class Declarator:
    """Declares the types of one BTF under the names that `names` gives."""

    def __init__(self, btf: Btf, layouts: Layouts, names: Names) -> None:
        self._btf = btf
        self._layouts = layouts
        self._names = names
        self._parts: dict[int, Parts] = {}
        self._constants: set[int] = set()
        self._makers: dict[type[t.Type], Callable[..., Parts]] = {
            t.Void: lambda _: Parts("void "),
            t.Int: self._number,
            t.Float: self._number,
            t.Typedef: self._typedef,
            t.Struct: self._struct,
            t.Fwd: self._forward,
            t.Enum: self._enum,
            t.Ptr: self._pointer,
            t.Array: self._array,
            t.FuncProto: self._proto,
            t.Const: self._qualified,
            t.Volatile: self._qualified,
            t.Restrict: self._qualified,
            t.TypeTag: self._tagged,
        }

    def declare(self, type_id: int, name: str) -> str:
        """A declaration without its semicolon; an anonymous struct comes with its body."""
        before, behind = self.parts(type_id)
        return f"{before}{name}{behind}" if name else f"{before}{behind}".rstrip()

    def parts(self, type_id: int) -> Parts:
        """Both parts of a declaration. Raises: BtfError for what is no type of a variable."""
        known = self._parts.get(type_id)
        if known is None:
            found = self._btf.type(type_id)
            maker = self._makers.get(type(found))
            if maker is None:
                what = f"type {type_id} ({found.kind.name}) cannot be the type of anything"
                raise self._btf.error(what, type_id)
            known = maker(found)
            if not (isinstance(found, t.Enum) and not found.name):  # its second use is another one
                self._parts[type_id] = known
        return known

    # --- one function a kind

    def _number(self, found: t.Int | t.Float) -> Parts:
        if found.name == "bool":
            return Parts("_Bool ")
        name = found.name
        return Parts(f"{name if is_c(name) else self._names.ident(found.id, name)} ")

    def _typedef(self, found: t.Typedef) -> Parts:
        return Parts(f"{self._names.ident(found.id, found.name)} ")

    def _struct(self, found: t.Struct) -> Parts:
        word = "union" if found.is_union else "struct"
        if found.name:
            return Parts(f"{word} {self._names.tag(found)} ")
        return Parts(f"{word} {self.body(found)} ")

    def _forward(self, found: t.Fwd) -> Parts:
        return Parts(f"{'union' if found.is_union else 'struct'} {self._names.tag(found)} ")

    def _enum(self, found: t.Enum) -> Parts:
        if found.name:
            return Parts(f"enum {self._names.tag(found)} ")
        if found.id in self._constants:  # C takes each constant once
            return Parts(f"{same_size(found.size_bytes, signed=found.signed)} ")
        return Parts(f"enum {self.constants(found)} ")

    def _pointer(self, found: t.Ptr) -> Parts:
        before, behind = self.parts(found.type_id)
        if behind:  # an array's or a prototype's brackets bind stronger than the star
            return Parts(f"{before}(*", f"){behind}")
        return Parts(f"{before}*")

    def _array(self, found: t.Array) -> Parts:
        before, behind = self.parts(found.elem_type_id)
        return Parts(before, f"[{found.nelems}]{behind}")

    def _proto(self, found: t.FuncProto) -> Parts:
        before, behind = self.parts(found.return_type_id)
        return Parts(before, f"({self.params(found)}){behind}")

    def params(self, proto: t.FuncProto) -> str:
        """The parameters of a prototype as they stand between its brackets."""
        words = [
            self.declare(param.type_id, identifier(param.name)) if param.type_id else "..."
            for param in proto.params
        ]
        return ", ".join(words) or "void"

    def _qualified(self, found: t.Modifier) -> Parts:
        word = _QUALIFIERS[type(found)]
        before, behind = self.parts(found.type_id)
        if behind.startswith("("):  # no function is const
            return Parts(before, behind)
        # A pointer's qualifier stands behind its star; an array's belongs to its elements.
        if before.startswith(word):
            return Parts(before, behind)
        return Parts(f"{before}{word}" if "*" in before else f"{word}{before}", behind)

    def _tagged(self, found: t.TypeTag) -> Parts:
        before, behind = self.parts(found.type_id)
        if not found.name.isidentifier():
            return Parts(before, behind)
        tag = found.name if found.is_attribute else f'btf_type_tag("{found.name}")'
        return Parts(f"{before}__attribute__(({tag})) ", behind)

    # --- bodies

    def body(self, struct: t.Struct) -> str:
        """The members of a struct in braces, and what the compiler must be told about it."""
        lines = []
        fillers = 0
        for padding, member, bits in self._layouts.pieces(struct):
            for width in padding:
                fillers += width > UNIT_BITS
                lines.append(_filler(width, fillers))
            if member is None:
                continue
            text = self._member(member)
            lines.append(f"{text} : {bits}" if bits else text)
        packed = " __attribute__((packed))" if self._layouts.is_packed(struct) else ""
        if sum(map(len, lines)) > MAX_BODY:
            raise self._btf.error(f"type {struct.id} is too large to be written as C", struct.id)
        return "{\n\t" + ";\n\t".join(lines) + ";\n}" + packed if lines else "{}" + packed

    def _member(self, member: t.Member) -> str:
        if not member.name:
            found = self._btf.type(member.type_id)
            if isinstance(found, t.Struct):
                # Linux is compiled with -fms-extensions, where it may have a tag; programs are not.
                text = f"{'union' if found.is_union else 'struct'} {self.body(found)}"
                return text.replace("\n", "\n\t")
        before, behind = self._parts.get(member.type_id) or self.parts(member.type_id)
        if "\n" in before:
            before = before.replace("\n", "\n\t")
        if member.name:
            return f"{before}{identifier(member.name)}{behind}"
        return f"{before}{behind}".rstrip()

    def constants(self, enum: t.Enum) -> str:
        """The constants of an enum in braces, with its size where that is not the usual one."""
        self._constants.add(enum.id)
        lines = [
            f"\t{self._names.fresh(one.name)} = {_number(one.value)},\n" for one in enum.values
        ]
        mode = _ENUM_MODES.get(enum.size_bytes)
        attribute = f" __attribute__((mode({mode})))" if mode else ""
        return "{\n" + "".join(lines) + "}" + attribute


def same_size(size_bytes: int, *, signed: bool) -> str:
    """An integer of that size in bytes (an array of bytes does not fit where one is needed)."""
    return f"{'' if signed else 'unsigned '}{_INTEGERS.get(size_bytes, 'int')}"


def _number(value: int) -> str:
    if value in _INT or value in _UNSIGNED:
        return str(value)
    return f"{value}LL" if value < 0 else f"{value}ULL"


def _filler(width: int, number: int) -> str:
    if width > UNIT_BITS:
        return f"unsigned char __padding{number}[{width // 8}]"
    return f"long : {width}"
