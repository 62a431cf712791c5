"""Enums that cost little at import: `Enum`, `IntEnum` and `IntFlag` as the library uses them.

Importing `enum` takes 4 ms of processor time, where Python itself starts in 10; making the enums
of the UAPI with it another 3, and these a tenth of that. Members behave as there: one for each
value, further names are aliases, an unknown value is a ValueError, and of flags any number is a
member. For a type checker they are the standard library's.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import Enum as Enum
    from enum import IntEnum as IntEnum
    from enum import IntFlag as IntFlag
    from typing import Any


class _EnumType(type):
    """Makes members of what the body of an enum assigns."""

    __members__: dict[str, Any]
    _by_value: dict[Any, Any]

    def __new__(cls, title: str, bases: tuple[type, ...], space: dict[str, Any]) -> _EnumType:
        values = {
            name: value
            for name, value in space.items()
            if not (name.startswith("_") or hasattr(value, "__get__"))
        }
        rest = {name: value for name, value in space.items() if name not in values}
        made = super().__new__(cls, title, bases, rest)
        made.__members__, made._by_value = {}, {}
        for name, value in values.items():
            member = made._by_value.get(value)
            if member is None:
                member = made._by_value[value] = made._make(name, value)  # type: ignore[attr-defined] # its enums have it
            made.__members__[name] = member
            setattr(made, name, member)
        return made

    def __call__(cls, value: Any) -> Any:
        found = cls._by_value.get(value)
        return cls._unnamed(value) if found is None else found

    def __getitem__(cls, name: str) -> Any:
        return cls.__members__[name]

    def __iter__(cls) -> Iterator[Any]:
        return iter(cls._by_value.values())

    def __len__(cls) -> int:
        return len(cls._by_value)

    def __contains__(cls, value: object) -> bool:
        return value in cls._by_value or value in cls._by_value.values()

    def _unnamed(cls, value: object) -> Any:
        raise ValueError(f"{value!r} is not a valid {cls.__qualname__}")


class _Enum(metaclass=_EnumType):
    """Named values of any kind; a member equals itself alone."""

    name: str
    value: Any

    @classmethod
    def _make(cls, name: str, value: object) -> _Enum:
        member = object.__new__(cls)
        member.name, member.value = name, value
        return member

    def __repr__(self) -> str:
        return f"<{type(self).__name__}.{self.name}: {self.value!r}>"

    def __str__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def __reduce_ex__(self, protocol: object) -> tuple[type, tuple[Any]]:
        return type(self), (self.value,)  # its copy is the member itself


class _IntEnum(int, metaclass=_EnumType):
    """Named numbers."""

    name: str | None
    value: int

    @classmethod
    def _make(cls, name: str | None, value: int) -> Any:
        member = int.__new__(cls, value)
        member.name, member.value = name, value
        return member

    def __repr__(self) -> str:
        return f"<{type(self).__name__}.{self.name}: {self.value!r}>"

    __str__ = int.__repr__

    def __reduce_ex__(self, protocol: object) -> tuple[type, tuple[Any]]:
        return type(self), (self.value,)


class _IntFlag(_IntEnum):
    """Named bits, alone, together or with others; the name of several is "ONE|OTHER"."""

    @classmethod
    def _unnamed(cls, value: int) -> Any:
        bits = int(value)
        named = [one for one in cls if one.value & bits]
        rest = bits & ~sum(named)
        words = [one.name for one in named] + ([str(rest)] if rest else [])
        return cls._make("|".join(words) if named else None, bits)

    def __or__(self, other: int) -> Any:
        return type(self)(self.value | int(other))

    def __and__(self, other: int) -> Any:
        return type(self)(self.value & int(other))

    def __xor__(self, other: int) -> Any:
        return type(self)(self.value ^ int(other))

    def __invert__(self) -> Any:
        return type(self)(sum(type(self)) & ~self.value)

    __ror__, __rand__, __rxor__ = __or__, __and__, __xor__


if not TYPE_CHECKING:
    Enum, IntEnum, IntFlag = _Enum, _IntEnum, _IntFlag
