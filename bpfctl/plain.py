"""Plain data classes that cost little at import.

Each command imports dozens of them. `dataclass(frozen=True)` takes 0.4 ms for one, because it
compiles six methods; this takes 0.04 ms: what it compiles is one method, and that when the first
instance is made, for most commands use few of the classes they import. Making instances is faster
too. The price: that nobody assigns to a field is checked by the type checker alone.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

_C = TypeVar("_C")
_UNSET = object()  # no argument: a field with a factory may have any value, None too


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def plain(cls: type[_C]) -> type[_C]:
    """Make a slotted data class that compares, hashes and prints by its fields."""
    made = dataclass(init=False, eq=False, repr=False, slots=True)(cls)
    for method in (_init, _eq, _hash, _repr):
        setattr(made, f"__{method.__name__[1:]}__", method)
    return made


def _init(self: object, *values: object, **named: object) -> None:
    """Stand in for `__init__` until the first instance: make the real one, and go on with it."""
    cls = next(cls for cls in type(self).__mro__ if vars(cls).get("__init__") is _init)
    real = _make_init(cls)
    setattr(cls, "__init__", real)  # noqa: B010 - a type checker takes it for an instance's
    real(self, *values, **named)


def _make_init(cls: type) -> Any:
    """Compile an `__init__` that sets each field, from its parameter or its default."""
    names: dict[str, Any] = {"_unset": _UNSET}
    parameters, lines = ["self"], []
    for one in fields(cls):
        value, default = one.name, ""
        if one.default is not MISSING:
            names[f"_default_{one.name}"] = one.default
            default = f"=_default_{one.name}"
        elif one.default_factory is not MISSING:
            names[f"_factory_{one.name}"] = one.default_factory
            value, default = f"_factory_{value}() if {value} is _unset else {value}", "=_unset"
        parameters.append(one.name + default)
        lines.append(f" self.{one.name} = {value}")
    text = f"def __init__({', '.join(parameters)}):\n" + ("\n".join(lines) or " pass")
    exec(text, names)  # noqa: S102 - as dataclass does; the names are those of our own classes
    return names["__init__"]


def _names(self: object) -> tuple[str, ...]:
    names: tuple[str, ...] = vars(type(self))["__match_args__"]  # dataclass puts them there
    return names


def _fields(self: object) -> tuple[object, ...]:
    return tuple(getattr(self, name) for name in _names(self))


def _eq(self: object, other: object) -> bool:
    return type(self) is type(other) and _fields(self) == _fields(other)


def _hash(self: object) -> int:
    return hash((type(self), _fields(self)))


def _repr(self: object) -> str:
    pairs = zip(_names(self), _fields(self), strict=True)
    return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"
