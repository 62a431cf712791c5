"""Plain data classes that cost little at import.

Each command imports dozens of them. `dataclass(frozen=True)` takes 0.4 ms for one, because it
compiles six methods, and importing `dataclasses` takes as long as a tenth of `link show`; this
takes 0.03 ms: what it compiles is one method, and that for classes of many instances alone, for
most commands make few. Making instances is faster too. The price: that nobody assigns to a field is
checked by the type checker alone.
"""

from __future__ import annotations

from bpfctl.plain_typing import FEW, UNSET, TypeVar, dataclass_transform, filled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_C = TypeVar("_C")


class _Factory:
    """The default of a field of which each instance has its own."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def field(*, default_factory: Callable[[], Any]) -> Any:
    """Declare a field whose default is made anew for each instance."""
    return _Factory(default_factory)


def replace(one: _C, **changes: Any) -> _C:
    """Return a copy of an instance with other values in some fields."""
    values = {name: getattr(one, name) for name in _names(one)}
    return type(one)(**values | changes)


class _DataclassFields:
    """Makes our classes what the functions of `dataclasses` take; only who uses those pays."""

    def __get__(self, instance: object, owner: type) -> dict[str, Any]:
        """Return what a data class with these fields has."""
        from dataclasses import field as dataclass_field
        from dataclasses import make_dataclass
        from typing import Any as AnyType

        parts: list[Any] = []
        for name, default in vars(owner)["_defaults"].items():
            if isinstance(default, _Factory):
                parts.append((name, AnyType, dataclass_field(default_factory=default.make)))
            else:
                parts.append((name, AnyType) if default is UNSET else (name, AnyType, default))
        found: dict[str, Any] = vars(make_dataclass(owner.__name__, parts))["__dataclass_fields__"]
        return found


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def plain(cls: type[_C]) -> type[_C]:
    """Make a slotted data class that compares, hashes and prints by its fields."""
    space = dict(vars(cls))
    names = [name for name, kind in cls.__annotations__.items() if not kind.startswith("ClassVar")]
    defaults: dict[str, Any] = {}
    for base in cls.__mro__[-2:0:-1]:  # without object and the class itself
        defaults |= vars(base).get("_defaults", ())
    inherited = frozenset(defaults)
    for name in names:
        defaults[name] = space.pop(name, UNSET)
    space.pop("__dict__", None)
    space.pop("__weakref__", None)
    space |= _METHODS
    space["__slots__"] = [name for name in names if name not in inherited]
    space["__match_args__"] = tuple(defaults)
    space["_defaults"] = defaults
    metaclass: Any = type(cls)
    made: type[_C] = metaclass(cls.__name__, cls.__bases__, space)
    made.__qualname__ = cls.__qualname__
    return made


def _init(self: object, *values: object, **named: object) -> None:
    """Stand in for `__init__`: compiling the real one costs as much as making twenty instances."""
    cls: Any = next(cls for cls in type(self).__mro__ if vars(cls).get("__init__") is _init)
    cls._made += 1
    found = filled(cls._defaults, values, named) if cls._made <= FEW else None
    if found is None:  # the real one says what is wrong, too
        real = _make_init(cls)
        setattr(cls, "__init__", real)  # noqa: B010 - a type checker takes it for an instance's
        real(self, *values, **named)
        return
    for name, value in found.items():
        setattr(self, name, value.make() if isinstance(value, _Factory) else value)


def _make_init(cls: type) -> Any:
    """Compile an `__init__` that sets each field, from its parameter or its default."""
    names: dict[str, Any] = {"_unset": UNSET}
    parameters, lines = ["self"], []
    for name, default in vars(cls)["_defaults"].items():
        value, after = name, ""
        if isinstance(default, _Factory):
            names[f"_factory_{name}"] = default.make
            value, after = f"_factory_{name}() if {name} is _unset else {name}", "=_unset"
        elif default is not UNSET:
            names[f"_default_{name}"] = default
            after = f"=_default_{name}"
        parameters.append(name + after)
        lines.append(f" self.{name} = {value}")
    text = f"def __init__({', '.join(parameters)}):\n" + ("\n".join(lines) or " pass")
    exec(text, names)  # noqa: S102 - as dataclass does; the names are those of our own classes
    return names["__init__"]


def _names(self: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = self.__match_args__
    return names


def _fields(self: Any) -> tuple[object, ...]:
    return tuple([getattr(self, name) for name in self.__match_args__])  # quicker than a generator


def _eq(self: object, other: object) -> bool:
    return type(self) is type(other) and _fields(self) == _fields(other)


def _hash(self: object) -> int:
    return hash((type(self), _fields(self)))


def _repr(self: object) -> str:
    pairs = zip(_names(self), _fields(self), strict=True)
    return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"


_METHODS: dict[str, Any] = {
    "__init__": _init,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__dataclass_fields__": _DataclassFields(),
    "_made": 0,
}
