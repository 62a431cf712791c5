"""What a header declares, and in which order: each thing after all that it needs.

What is stored by value must be defined before; behind a pointer a declaration is enough, which C
knows for structs and unions only. Enums need nothing and come first.
"""

from __future__ import annotations

from bpfctl.btf.decode import MAX_DEPTH
from bpfctl.btf.kinds import Kind
from bpfctl.btf.records import STRUCTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.records import Record

    # One thing to write: a type's id, and whether its definition; else it is only declared.
    Step: TypeAlias = tuple[int, bool]

_NUMBER_WORDS = frozenset(
    {"_Bool", "bool", "char", "short", "int", "long", "signed", "unsigned"}
    | {"__int128", "float", "double"}
)
_WRAPPERS = frozenset({Kind.PTR, Kind.CONST, Kind.VOLATILE, Kind.RESTRICT, Kind.TYPE_TAG})


def is_c(name: str) -> bool:
    """Whether C knows a number of that name by itself; other compilers have more."""
    return bool(name) and _NUMBER_WORDS.issuperset(name.split(" "))


class _Use:
    """A way to use types: for which it is settled, and what a type of each kind then needs."""

    def __init__(self, follow: dict[Kind, Callable[[Record], None]]) -> None:
        self.settled: set[int] = set()
        self.follow = follow


class Order:
    """Puts definitions into an order that C takes. Each step is given once."""

    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._records = btf.records
        self._steps: list[Step] = []
        self._declared: set[int] = set()
        self._begun: set[int] = set()
        self._done: set[int] = set()
        self.met: set[int] = set()  # nameless enums that are part of something
        always: dict[Kind, Callable[[Record], None]] = {
            Kind.FWD: self._declare,
            Kind.ENUM: self._enum,
            Kind.ENUM64: self._enum,
            Kind.ARRAY: self._array,
            Kind.FUNC_PROTO: self._proto,
            Kind.INT: self._number,
            Kind.FLOAT: self._number,
            Kind.FUNC: self._func,
        }
        whole = {Kind.TYPEDEF: self._whole_typedef, **dict.fromkeys(STRUCTS, self._define)}
        named = {Kind.TYPEDEF: self._typedef, **dict.fromkeys(STRUCTS, self._mention)}
        self._by_value = _Use(always | whole)
        self._behind_pointer = _Use(always | named)

    def steps(self, wanted: Iterable[int], used: Iterable[int] = ()) -> list[Step]:
        """Order the definitions of the wanted types, with all that they need.

        Of the types that are only `used`, what a struct with such members needs comes too.
        Raises: BtfError for a type that contains itself.
        """
        self._need([*wanted, *used], self._by_value)
        return self._steps

    def _need(self, type_ids: Iterable[int], use: _Use) -> None:
        """Write what uses of some types need."""
        settled = use.settled
        for type_id in type_ids:
            if type_id not in settled:  # most are
                self._settle(type_id, use)
                settled.add(type_id)

    def _settle(self, type_id: int, use: _Use) -> None:
        found, depth = self._records[type_id], 0
        while found.kind in _WRAPPERS:
            if found.kind is Kind.PTR:
                use = self._behind_pointer
            found = self._records[found.refers]
            depth += 1
            if depth == MAX_DEPTH:
                raise self._btf.error(f"type {type_id} is nested too deeply", type_id)
        follow = use.follow.get(found.kind)
        if follow:
            follow(found)

    def _declare(self, found: Record) -> None:
        if found.id not in self._declared:
            self._declared.add(found.id)
            self._steps.append((found.id, False))

    def _mention(self, struct: Record) -> None:
        if struct.name:
            self._declare(struct)
        else:
            self._define(struct)

    def _define(self, struct: Record) -> None:
        if self._begin(struct):
            self._need(struct.references, self._by_value)
            self._done.add(struct.id)
            if struct.name:
                self._write(struct)

    def _begin(self, found: Record) -> bool:
        if found.id in self._done:
            return False
        if found.id in self._begun:
            raise self._btf.error(f"type {found.id} ({found.name}) contains itself", found.id)
        self._begun.add(found.id)
        return True

    def _write(self, found: Record) -> None:
        self._done.add(found.id)
        self._declared.add(found.id)
        self._steps.append((found.id, True))

    def _enum(self, found: Record) -> None:
        if not found.name:
            self.met.add(found.id)
        elif self._begin(found):
            self._write(found)

    def _typedef(self, found: Record) -> None:
        if self._begin(found):
            self._need((found.refers,), self._behind_pointer)
            self._write(found)

    def _whole_typedef(self, found: Record) -> None:
        self._typedef(found)
        self._need((found.refers,), self._by_value)

    def _number(self, found: Record) -> None:
        if found.id not in self._done and not is_c(found.name):
            self._write(found)

    def _array(self, found: Record) -> None:
        self._need(found.tail[:1], self._by_value)  # C wants it complete behind a pointer too

    def _proto(self, found: Record) -> None:
        self._need([*found.references[1:], found.refers], self._behind_pointer)

    def _func(self, found: Record) -> None:
        self._need((found.refers,), self._behind_pointer)
        self._write(found)
