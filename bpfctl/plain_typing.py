"""What classes need of `typing` when they are made, without its cost.

Importing `typing` takes 9 ms of processor time with what it imports itself, where Python starts
in 10, and each NamedTuple a quarter of a millisecond; these take a tenth. All else of `typing` is
for type checkers alone and stands under TYPE_CHECKING, and for them these are the standard ones.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Annotated as Annotated
    from typing import Any
    from typing import Generic as Generic
    from typing import NamedTuple as NamedTuple
    from typing import Protocol as Protocol
    from typing import TypeVar as TypeVar
    from typing import dataclass_transform as dataclass_transform

try:  # what namedtuple itself uses: a third quicker
    from _collections import _tuplegetter as _place  # type: ignore[import-not-found] # private
except ImportError:
    from operator import itemgetter

    def _place(at: int, doc: str) -> property:
        return property(itemgetter(at), doc=doc)


FEW = 20  # instances of a class take as long to make without a compiled method as compiling takes
UNSET: Any = object()  # no argument, and no default: a field may have any value, None too


def filled(
    fields: dict[str, Any], values: tuple[object, ...], named: dict[str, object]
) -> dict[str, Any] | None:
    """Return the value of each field by name: given, or its default; None for wrong arguments.

    `fields` has the defaults in the order of the fields, UNSET where there is none.
    """
    by_place = dict(zip(fields, values, strict=False))
    if len(values) > len(fields) or by_place.keys() & named.keys() or named.keys() - fields.keys():
        return None
    found = fields | by_place | named
    return None if any(value is UNSET for value in found.values()) else found


class _TupleType(type):
    """Makes classes of tuples whose places have names; see _NamedTuple."""

    def __new__(cls, title: str, bases: tuple[type, ...], space: dict[str, Any]) -> type:
        if not bases:
            return super().__new__(cls, title, bases, space)
        fields = tuple(space.get("__annotations__", ()))
        defaults = {name: space.pop(name) for name in fields if name in space}
        space |= {name: _place(at, "") for at, name in enumerate(fields)}
        space |= _METHODS
        space["__match_args__"] = space["_fields"] = fields
        space["_field_defaults"] = defaults
        space["_defaults"] = {name: defaults.get(name, UNSET) for name in fields}
        return type(title, (tuple,), space)


def _new(cls: Any, *values: object, **named: object) -> Any:
    """Stand in for `__new__` while a class has few instances, as most have."""
    owner = next(one for one in cls.__mro__ if "_made" in vars(one))
    owner._made += 1
    found = filled(owner._defaults, values, named) if owner._made <= FEW else None
    if found is not None:
        return tuple.__new__(cls, found.values())
    real = _make_new(owner)  # says what is wrong, too
    setattr(owner, "__new__", staticmethod(real))  # noqa: B010 - for a type checker it is a method
    return real(cls, *values, **named)


def _make_new(cls: Any) -> Callable[..., Any]:
    """Compile a `__new__` with the fields as its parameters."""
    space: dict[str, Any] = {"_new_tuple": tuple.__new__}
    parameters = ["_cls"]
    for name in cls._fields:
        parameters.append(name)
        if name in cls._field_defaults:
            space[f"_default_{name}"] = cls._field_defaults[name]
            parameters[-1] += f"=_default_{name}"
    values = "".join(f"{name}," for name in cls._fields)
    text = f"def __new__({', '.join(parameters)}):\n return _new_tuple(_cls, ({values}))"
    exec(text, space)  # noqa: S102 - as namedtuple does; the names are those of our own classes
    made: Callable[..., Any] = space["__new__"]
    return made


def _repr(self: Any) -> str:
    pairs = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
    return f"{type(self).__name__}({pairs})"


def _values(self: Any) -> tuple[object, ...]:
    return tuple(self)


def _asdict(self: Any) -> dict[str, Any]:
    return dict(zip(self._fields, self, strict=True))


def _replace(self: Any, **changes: object) -> Any:
    return type(self)(**_asdict(self) | changes)


_METHODS: dict[str, Any] = {
    "__slots__": (),
    "__new__": _new,
    "__repr__": _repr,
    "__getnewargs__": _values,
    "_made": 0,
    "_make": classmethod(tuple.__new__),
    "_replace": _replace,
    "_asdict": _asdict,
}


class _NamedTuple(metaclass=_TupleType):
    """A tuple whose places have names, in the order of their annotations."""


def _plain(*_words: object, **_more: object) -> Callable[[Any], Any]:
    """Make what nobody looks at while the program runs: a type variable, or a decorator."""
    return _same


def _same(one: Any) -> Any:
    return one


class _Generic:
    """The base of a class that is the same for all type arguments."""

    def __class_getitem__(cls, _arguments: object) -> type:
        return cls


class _Annotated:
    """A type and what is said about it: `Annotated[int, "in bytes"]`."""

    def __init__(self, origin: object, *metadata: object) -> None:
        self.__origin__ = origin
        self.__metadata__ = metadata

    def __class_getitem__(cls, arguments: tuple[object, ...]) -> _Annotated:
        return cls(*arguments)


if not TYPE_CHECKING:
    NamedTuple, Generic, Protocol = _NamedTuple, _Generic, _Generic
    TypeVar, Annotated, dataclass_transform = _plain, _Annotated, _plain
