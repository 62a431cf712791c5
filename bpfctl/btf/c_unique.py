"""Names for C: valid ones, and no two things of one name where C has one name space.

The kernel is many compilation units: it has several structs called the same, and C in one header
does not. Later ones get a suffix ("foo___2"), which CO-RE ignores.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bpfctl.btf import types as t
from bpfctl.btf.types import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# The compiler has this one, of its own size: that of another processor gets a suffix.
_BUILT_IN: Final = ("__builtin_va_list",)
_OTHER: Final = re.compile(r"\W", re.ASCII)


@lru_cache(maxsize=1 << 16)  # members of a kernel have 30,000 names, and most several times
def identifier(name: str) -> str:
    """The name, with what C allows in none replaced by "_"."""
    if name.isascii() and name.isidentifier():
        return name
    word = _OTHER.sub("_", name)
    return f"_{word}" if word[:1].isdigit() else word


class Names:
    """The names given so far. Who asks first gets the plain name, so ask in the order of output."""

    def __init__(self) -> None:
        self._tags: dict[int, str] = {}
        self._defined: dict[str, bool] = {}  # of each tag: or is it only declared yet
        self._kinds: dict[str, Kind] = {}
        self._idents: dict[int, str] = {}
        self._counts = dict.fromkeys(_BUILT_IN, 1)

    def tag(self, found: t.Struct | t.Fwd | t.Enum) -> str:
        """The name behind `struct`, `union` or `enum`; "" for an anonymous type.

        What is only declared is taken for the first type defined under its name and kind.
        """
        if not found.name:
            return ""
        known = self._tags.get(found.id)
        if known is None:
            known = self._tags[found.id] = self._new_tag(found)
        return known

    def _new_tag(self, found: t.Struct | t.Fwd | t.Enum) -> str:
        plain, kind, defined = identifier(found.name), _tag_kind(found), _is_defined(found)
        name, count = plain, 1
        while name in self._kinds and (
            self._kinds[name] != kind or (defined and self._defined[name])
        ):
            count += 1
            name = f"{plain}___{count}"
        self._kinds[name] = kind
        self._defined[name] = self._defined.get(name, False) or defined
        return name

    def ident(self, type_id: int, name: str) -> str:
        """The name of a typedef or function, which shares its space with constants of enums."""
        known = self._idents.get(type_id)
        if known is None:
            known = self._idents[type_id] = self.fresh(name)
        return known

    def fresh(self, name: str) -> str:
        """A name for one more typedef, function or constant of an enum: nobody has it yet."""
        plain = identifier(name)
        count = self._counts[plain] = self._counts.get(plain, 0) + 1
        if count == 1:
            return plain
        new = f"{plain}___{count}"
        return self.fresh(plain) if new in self._counts else new


def _tag_kind(found: t.Struct | t.Fwd | t.Enum) -> Kind:
    if isinstance(found, t.Enum):
        return Kind.ENUM
    return Kind.UNION if found.is_union else Kind.STRUCT


def _is_defined(found: t.Struct | t.Fwd | t.Enum) -> bool:
    """An enum that is only declared has no constants."""
    return bool(found.values) if isinstance(found, t.Enum) else isinstance(found, t.Struct)
