"""The records of types, taken apart: numbers, and the words of what follows them.

Source: include/uapi/linux/btf.h, Linux 6.18.
"""

from __future__ import annotations

from bpfctl.btf import layout
from bpfctl.btf.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final, TypeAlias

    from bpfctl.btf.texts import Texts
    from bpfctl.errors import BtfError

    Tail: TypeAlias = Sequence[int]

STRUCTS: Final = frozenset({Kind.STRUCT, Kind.UNION})
ENUMS: Final = frozenset({Kind.ENUM, Kind.ENUM64})
MODIFIERS: Final = frozenset(
    {Kind.TYPEDEF, Kind.CONST, Kind.VOLATILE, Kind.RESTRICT, Kind.TYPE_TAG}
)
_KINDS: Final = tuple(Kind)  # looked up by identity, which is faster than by the numbers
_PAIRS: Final = frozenset({Kind.ENUM, Kind.FUNC_PROTO})
_TO_ONE: Final = (*MODIFIERS, Kind.PTR, Kind.FUNC, Kind.VAR, Kind.DECL_TAG)
_REFERENCES: Final[dict[int, Callable[[int, Tail], Tail]]] = {
    **dict.fromkeys(Kind, lambda *_: ()),
    **dict.fromkeys(_TO_ONE, lambda refers, _: (refers,)),
    **dict.fromkeys(STRUCTS, lambda _, tail: tail[1::3]),
    Kind.ARRAY: lambda _, tail: tail[:2],
    Kind.FUNC_PROTO: lambda refers, tail: [refers, *tail[1::2]],
    Kind.DATASEC: lambda _, tail: tail[::3],
}


class Record:
    """A record taken apart: what every kind has, and the words of its tail as they are stored.

    Where objects for all that a type has would take longer than what is done with them (the
    kernel's structs have 60,000 members), this is read instead. `refers` is a type or, for some
    kinds, a size; `references` are the ids of all types it refers to.
    """

    __slots__ = ("flag", "id", "kind", "name", "references", "refers", "tail", "vlen")

    def __init__(self, type_id: int, name: str, info: int, refers: int, tail: Tail) -> None:
        self.id = type_id
        self.name = name
        # layout.kind_of, vlen_of and flag_of, written out: this is made 100,000 times.
        self.kind = _KINDS[info >> 24 & 0x7F]
        self.vlen = info & 0xFFFFFF
        self.flag = info >= 1 << 31
        self.refers = refers
        self.tail = tail
        self.references = _REFERENCES[self.kind](refers, tail)

    def names(self) -> Tail:
        """The string offsets of the names in the tail: of members, constants or parameters."""
        return self.tail[:: 2 if self.kind in _PAIRS else 3]

    def places(self) -> tuple[Sequence[int], Sequence[int]]:
        """Of the members of a struct or union: offsets, and widths of bit-fields, both in bits.

        With kind_flag the upper 8 bits are a width, without it the offset has all 32.
        """
        words = self.tail[2::3]
        if not self.flag:
            return words, [0] * len(words)
        return [word & 0xFFFFFF for word in words], [word >> 24 for word in words]

    def constants(self) -> list[int]:
        """The values of an enumeration, in 32 or 64 bits, with a sign if it has one."""
        if self.kind is Kind.ENUM64:
            pairs = zip(self.tail[1::3], self.tail[2::3], strict=True)
            values = [high << 32 | low for low, high in pairs]
            return [signed64(value) for value in values] if self.flag else values
        values = list(self.tail[1::2])
        return [signed32(value) for value in values] if self.flag else values


VOID: Final = Record(0, "void", 0, 0, ())


class Records(dict[int, Record]):
    """The records that were asked for, by the ids of their types, those of the base included.

    Their kinds are known, and all types they refer to are there. Asking for one raises BtfError
    for no such id, and for a broken record.
    """

    def __init__(
        self,
        words: layout.Words,
        starts: Sequence[int],
        texts: Texts,
        base: Records | None,
        error: Callable[..., BtfError],
    ) -> None:
        super().__init__()
        self._words = words
        self._starts = starts
        self._texts = texts
        self._base = base
        self._error = error
        self._sizes = layout.RecordWords(layout.TAIL_WORDS)
        self.first_id: int = base.end_id if base is not None else 1
        self.end_id: int = self.first_id + len(starts)

    def __missing__(self, type_id: int) -> Record:
        """Read one."""
        found = self[type_id] = self.read(type_id)
        return found

    def start(self, type_id: int) -> int:
        """Where in the words of this blob a record starts. Raises: BtfError."""
        if not self.first_id <= type_id < self.end_id:
            raise self._error(f"there is no type {type_id}, only {self.end_id - 1} types")
        start = self._starts[type_id - self.first_id]
        if start + layout.RECORD_WORDS > len(self._words):
            raise self._wrong_index(type_id)
        return start

    def read(self, type_id: int) -> Record:
        """One that is not kept here."""
        if not self.first_id <= type_id < self.end_id:
            return self._elsewhere(type_id)
        words, at = self._words, self._starts[type_id - self.first_id]
        try:
            name_off, info, refers = words[at], words[at + 1], words[at + 2]
            size = self._sizes[info]
        except IndexError:
            raise self._wrong_index(type_id) from None
        except KeyError:
            raise self._unknown(type_id, layout.kind_of(info)) from None
        if at + size > len(words):
            raise self._wrong_index(type_id)
        tail = words[at + 3 : at + size].tolist() if size > 3 else ()
        found = Record(type_id, self._texts[name_off], info, refers, tail)
        if found.references and max(found.references) >= self.end_id:
            raise self._dangling(found)
        return found

    def _elsewhere(self, type_id: int) -> Record:
        """Void, or one of the base."""
        if type_id and (self._base is None or type_id >= self.end_id):
            raise self._error(f"there is no type {type_id}, only {self.end_id - 1} types")
        return self._base[type_id] if self._base is not None else VOID

    def _wrong_index(self, type_id: int) -> BtfError:
        return self._error(f"the index of types is wrong about type {type_id}")

    def _unknown(self, type_id: int, kind: int) -> BtfError:
        message = f"type {type_id} is of kind {kind}, newer than bpfctl knows"
        unknown = self._error(message, type_id, code="btf-unknown-kind")
        unknown.remedy = layout.NEWER
        return unknown

    def _dangling(self, found: Record) -> BtfError:
        target = next(one for one in found.references if one >= self.end_id)
        message = f"type {found.id} ({found.kind.name}) refers to type {target}, "
        return self._error(message + f"but there are only {self.end_id - 1}", found.id)


def signed32(word: int) -> int:
    """A 32-bit word read as two's complement."""
    return word - (1 << 32) if word >> 31 else word


def signed64(word: int) -> int:
    """A 64-bit word read as two's complement."""
    return word - (1 << 64) if word >> 63 else word
