"""What a header declares, and in which order: each thing after all that it needs.

What is stored by value must be defined before; behind a pointer a declaration is enough, which C
knows for structs and unions only. Enums need nothing and come first.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.decode import MAX_DEPTH
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bpfctl.btf.decode import Btf

_NUMBER_WORDS = frozenset(
    {"_Bool", "bool", "char", "short", "int", "long", "signed", "unsigned"}
    | {"__int128", "float", "double"}
)
_WRAPPERS = (t.Ptr, t.Const, t.Volatile, t.Restrict, t.TypeTag)


def is_c(name: str) -> bool:
    """Whether C knows a number of that name by itself; other compilers have more."""
    return bool(name) and _NUMBER_WORDS.issuperset(name.split(" "))


class Step(NamedTuple):
    """One thing to write: a definition, or the declaration of a struct or union."""

    type_id: int
    whole: bool


class Order:
    """Puts definitions into an order that C takes. Each step is given once."""

    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._steps: list[Step] = []
        self._declared: set[int] = set()
        self._begun: set[int] = set()
        self._done: set[int] = set()
        self._settled: tuple[set[int], set[int]] = (set(), set())  # behind a pointer, by value
        self.met: set[int] = set()  # nameless enums that are part of something
        self._follow: dict[type[t.Type], Callable[..., None]] = {
            t.Fwd: self._forward,
            t.Enum: self._enum,
            t.Array: self._array,
            t.FuncProto: self._proto,
            t.Int: self._number,
            t.Float: self._number,
            t.Func: self._func,
        }

    def steps(self, wanted: Iterable[int], used: Iterable[int] = ()) -> list[Step]:
        """Order the definitions of the wanted types, with all that they need.

        Of the types that are only `used`, what a struct with such members needs comes too.
        Raises: BtfError for a type that contains itself.
        """
        for type_id in (*wanted, *used):
            self._need(type_id, whole=True)
        return self._steps

    def _need(self, type_id: int, *, whole: bool) -> None:
        """Write what a use of the type needs; `whole`: by value, else behind a pointer."""
        settled = self._settled[whole]
        if type_id in settled:
            return
        found, by_value = self._btf.type(type_id), whole
        for _ in range(MAX_DEPTH):
            if not isinstance(found, _WRAPPERS):
                break
            by_value = by_value and not isinstance(found, t.Ptr)
            found = self._btf.type(found.type_id)
        else:
            raise self._btf.error(f"type {type_id} is nested too deeply", type_id)
        if isinstance(found, t.Struct):
            self._struct(found, whole=by_value)
        elif isinstance(found, t.Typedef):
            self._typedef(found, whole=by_value)
        elif type(found) in self._follow:
            self._follow[type(found)](found)
        settled.add(type_id)

    def _struct(self, found: t.Struct, *, whole: bool) -> None:
        if found.name and not whole:
            if found.id not in self._declared:
                self._declared.add(found.id)
                self._steps.append(Step(found.id, whole=False))
            return
        if not self._begin(found):
            return
        settled = self._settled[True]
        for member in found.members:
            if member.type_id not in settled:
                self._need(member.type_id, whole=True)
        self._end(found, write=bool(found.name))

    def _begin(self, found: t.Type) -> bool:
        if found.id in self._done:
            return False
        if found.id in self._begun:
            raise self._btf.error(f"type {found.id} ({found.name}) contains itself", found.id)
        self._begun.add(found.id)
        return True

    def _end(self, found: t.Type, *, write: bool) -> None:
        self._done.add(found.id)
        self._declared.add(found.id)
        if write:
            self._steps.append(Step(found.id, whole=True))

    def _forward(self, found: t.Fwd) -> None:
        if found.id not in self._declared:
            self._declared.add(found.id)
            self._steps.append(Step(found.id, whole=False))

    def _enum(self, found: t.Enum) -> None:
        if not found.name:
            self.met.add(found.id)
        elif self._begin(found):
            self._end(found, write=True)

    def _typedef(self, found: t.Typedef, *, whole: bool) -> None:
        if self._begin(found):
            self._need(found.type_id, whole=False)
            self._end(found, write=True)
        if whole:
            self._need(found.type_id, whole=True)

    def _number(self, found: t.Int | t.Float) -> None:
        if found.id not in self._done:
            self._end(found, write=not is_c(found.name))

    def _array(self, found: t.Array) -> None:
        self._need(found.elem_type_id, whole=True)  # C wants it complete behind a pointer too

    def _proto(self, found: t.FuncProto) -> None:
        for param in found.params:
            self._need(param.type_id, whole=False)
        self._need(found.return_type_id, whole=False)

    def _func(self, found: t.Func) -> None:
        self._need(found.proto_id, whole=False)
        self._end(found, write=True)
