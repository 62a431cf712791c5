"""What a program can see of each named type, so that those of two kernels can be compared.

Types are known by the word C has for their kind and by their name: ids differ with every build.
Anonymous structs belong to what they are in; anonymous enums are told apart by their constants.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from bpfctl.btf import types as t
from bpfctl.btf.c_layout import Layouts
from bpfctl.btf.c_names import signature, type_name
from bpfctl.btf.decode import MAX_DEPTH
from bpfctl.btf.types import Kind
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final, TypeAlias

    from bpfctl.btf.decode import Btf

_UNSIGNED_BYTES: Final = (1, 2, 4)  # of enumerations without a sign, in kernels before 6.0
MAX_MEMBERS: Final = 1 << 13  # of one struct with its anonymous ones; hostile ones have no end
_WORDS: Final = {
    Kind.STRUCT: "struct",
    Kind.UNION: "union",
    Kind.FWD: "struct",
    Kind.ENUM: "enum",
    Kind.ENUM64: "enum",
    Kind.TYPEDEF: "typedef",
    Kind.FUNC: "func",
    Kind.VAR: "var",
    Kind.INT: "number",
    Kind.FLOAT: "number",
}
Name: TypeAlias = tuple[str, str]  # the word of its kind, and its name


@plain
class MemberFact:
    """A member: its type in words, with the width of a bit-field, and where it lies."""

    type: str
    offset_bits: int


@plain
class Facts:
    """What is known of one type: a text, and its size, members and constants where it has any."""

    text: str
    size_bytes: int | None = None
    members: dict[str, MemberFact] | None = None
    constants: dict[str, int] | None = None


def all_facts(btf: Btf, pattern: str = "*") -> dict[Name, list[Facts]]:
    """The facts of all named types whose names match, those of the base included.

    What is only declared counts where nothing of the name is defined. Raises: BtfError.
    """
    reader = _Reader(btf)
    found: dict[Name, list[Facts]] = {}
    declared: list[Name] = []
    for type_id in _ids(btf):
        name = btf.name(type_id)
        if name and not fnmatchcase(name, pattern):
            continue
        one = btf.type(type_id)
        if isinstance(one, t.Fwd):
            declared.append(("union" if one.is_union else "struct", name))
        elif name:
            facts = found.setdefault((_WORDS[one.kind], name), [])
            facts.append(reader.facts(one))
        elif isinstance(one, t.Enum):
            for constant, value in _constants(one).items():
                if fnmatchcase(constant, pattern):
                    found.setdefault(("constant", constant), []).append(Facts(str(value)))
    for key in declared:
        found.setdefault(key, [Facts("declared only")])
    return found


def _ids(btf: Btf) -> Iterator[int]:
    if btf.base:
        yield from _ids(btf.base)
    yield from btf.ids(_WORDS)


class _Reader:
    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._layouts = Layouts(btf)
        self._texts: dict[int, str] = {}

    def facts(self, found: t.Type) -> Facts:
        btf = self._btf
        match found:
            case t.Struct():
                return Facts("", found.size_bytes, self._members(found))
            case t.Enum():
                return Facts("", found.size_bytes, constants=_constants(found))
            case t.Typedef():
                return self._typedef(found)
            case t.Func():
                return Facts(signature(btf, btf.func_proto(found.id), found.name))
            case t.Var():
                return Facts(self._text(found.type_id))
            case t.Int():
                encoding = t.IntEncoding(found.encoding & 7).name or "unsigned"
                return Facts(f"{found.bits} bits {encoding.lower()}", found.size_bytes)
            case _:
                return Facts("", btf.size_of(found.id))

    def _typedef(self, found: t.Typedef) -> Facts:
        """What it stands for; what has no name of its own has this one."""
        behind = self._btf.type(found.type_id)
        if isinstance(behind, t.Struct | t.Enum) and not behind.name:
            facts = self.facts(behind)
            return Facts(self._text(behind.id), facts.size_bytes, facts.members, facts.constants)
        return Facts(self._text(found.type_id))

    def _text(self, type_id: int) -> str:
        text = self._texts.get(type_id)
        if text is None:
            text = self._texts[type_id] = type_name(self._btf, type_id)
        return text

    def _members(self, struct: t.Struct) -> dict[str, MemberFact]:
        """The members in order, those of anonymous structs by their paths ("u.a", "arr[].b")."""
        found: dict[str, MemberFact] = {}
        left = MAX_MEMBERS
        to_do = [("", 0, struct, 0)]
        while to_do:
            prefix, base, outer, depth = to_do.pop()
            if depth > MAX_DEPTH:
                raise self._btf.error(f"type {struct.id} is nested too deeply", struct.id)
            inner = []
            for member in outer.members:
                left -= 1
                if left < 0:
                    message = f"type {struct.id} has more than {MAX_MEMBERS} members"
                    raise self._btf.error(message, struct.id)
                offset, bits = self._layouts.place(member)
                path, behind, suffix = prefix + member.name, *self._behind(member.type_id)
                if isinstance(behind, t.Struct) and not behind.name:
                    deeper = f"{path}{suffix}." if member.name else prefix
                    inner.append((deeper, base + offset, behind, depth + 1))
                if member.name:
                    text = self._text(member.type_id) + (f" : {bits}" if bits else "")
                    found[path] = MemberFact(text, base + offset)
            to_do += reversed(inner)
        return found

    def _behind(self, type_id: int) -> tuple[t.Type, str]:
        """The type that an array, if it is one, is made of, and brackets then."""
        found = self._btf.type(type_id)
        if not isinstance(found, t.Array):
            return found, ""
        for _ in range(3):  # of more dimensions there are none in the kernel
            if isinstance(found, t.Array):
                found = self._btf.type(found.elem_type_id)
        return found, "[]"


def _constants(found: t.Enum) -> dict[str, int]:
    """The constants; what has no sign in BTF (before Linux 6.0) is compared as if it had.

    Of 64 bits, which came with the sign, it is told.
    """
    if found.is64 or found.size_bytes not in _UNSIGNED_BYTES:
        return {one.name: one.value for one in found.values}
    limit = 1 << 8 * found.size_bytes - 1
    wrap = 2 * limit
    return {one.name: one.value - wrap if one.value >= limit else one.value for one in found.values}
