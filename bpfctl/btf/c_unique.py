"""Names for C: valid ones, and no two things of one name where C has one name space.

The kernel is many compilation units: it has several structs called the same, and C in one header
does not. Later ones get a suffix ("foo___2"), which CO-RE ignores.
"""

from __future__ import annotations

from bpfctl.btf.kinds import Kind
from bpfctl.btf.records import ENUMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.records import Record

# The compiler has this one, of its own size: that of another processor gets a suffix.
_BUILT_IN: Final = ("__builtin_va_list",)


def identifier(name: str) -> str:
    """The name, with what C allows in none replaced by "_"."""
    if name.isascii() and name.isidentifier():
        return name
    import re  # the kernel's names do without

    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    return f"_{word}" if word[:1].isdigit() else word


def identifiers(names: list[str]) -> list[str]:
    """Several names, which nearly always are right as they are."""
    if all(map(str.isidentifier, names)) and "".join(names).isascii():
        return names
    return [identifier(name) for name in names]


class Names:
    """The names given so far. Who asks first gets the plain name, so ask in the order of output."""

    def __init__(self) -> None:
        self._tags: dict[int, str] = {}
        # Of each tag its kind, and whether it is defined; or is it only declared yet.
        self._taken: dict[str, tuple[Kind, bool]] = {}
        self._idents: dict[int, str] = {}
        self._counts = dict.fromkeys(_BUILT_IN, 1)

    def tag(self, found: Record) -> str:
        """The name behind `struct`, `union` or `enum`; "" for an anonymous type.

        What is only declared is taken for the first type defined under its name and kind.
        """
        if not found.name:
            return ""
        known = self._tags.get(found.id)
        if known is None:
            known = self._tags[found.id] = self._new_tag(found)
        return known

    def _new_tag(self, found: Record) -> str:
        plain, kind, defined = identifier(found.name), _tag_kind(found), _is_defined(found)
        name, count = plain, 1
        taken = self._taken.get(name)
        while taken and (taken[0] != kind or (defined and taken[1])):
            count += 1
            name = f"{plain}___{count}"
            taken = self._taken.get(name)
        if defined or not taken:
            self._taken[name] = kind, defined
        return name

    def ident(self, found: Record) -> str:
        """The name of a typedef or function, which shares its space with constants of enums."""
        known = self._idents.get(found.id)
        if known is None:
            known = self._idents[found.id] = self.fresh(identifier(found.name))
        return known

    def fresh(self, plain: str) -> str:
        """A name for one more typedef, function or constant of an enum: nobody has it yet."""
        count = self._counts[plain] = self._counts.get(plain, 0) + 1
        if count == 1:
            return plain
        new = f"{plain}___{count}"
        return self.fresh(plain) if new in self._counts else new

    def all_fresh(self, plain: list[str]) -> list[str]:
        """Names for several constants: nearly always those they have."""
        new = dict.fromkeys(plain, 1)
        if len(new) == len(plain) and self._counts.keys().isdisjoint(new):
            self._counts |= new
            return plain
        return [self.fresh(one) for one in plain]


def _tag_kind(found: Record) -> Kind:
    if found.kind is Kind.FWD:
        return Kind.UNION if found.flag else Kind.STRUCT
    return Kind.ENUM if found.kind is Kind.ENUM64 else found.kind


def _is_defined(found: Record) -> bool:
    """An enum that is only declared has no constants."""
    return bool(found.tail) if found.kind in ENUMS else found.kind is not Kind.FWD
