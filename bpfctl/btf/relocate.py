"""Put the types of a module on those of a kernel it was not built with.

Modules that are built outside of the kernel's tree carry, beside their types, a small base: the
names, and sizes, of the kernel's types that theirs refer to (section .BTF.base, Linux 6.11). The
kernel looks for these among its own types when it loads the module; so does this.
Sources: "libbpf: Split BTF relocation", commit 19e00c897d50, and tools/lib/bpf/btf_relocate.c,
Linux 6.18 (behaviour).
"""

from __future__ import annotations

from struct import unpack_from

from bpfctl.btf import types as t
from bpfctl.btf.core_names import describe
from bpfctl.btf.decode import MAX_DEPTH, Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.remap import remapped
from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

CODE: Final = "btf-base-differs"
REMEDY: Final = "name the types of the kernel that it was made for with --base-btf"
_SHOWN: Final = 5  # types that a base lacks, in a message
_LOOKED_AT: Final = 1000  # names; of ten in another base nine begin amidst a string


def relocated(split: Btf, base: Btf) -> Btf:
    """The types of `split`, which is based on a small base of its own, on top of `base`.

    Raises: BtfError where `base` has not one type for each of the small base, or an embedded one
    of another size; for broken types.
    """
    assert split.base is not None
    ids = _Matches(split, base).ids()
    shift = len(base) - len(split.base)
    builder = BtfBuilder(base.order, first_id=len(base), first_string=base.string_end, wide=True)
    for one in split.types():
        builder.add(remapped(one, lambda old: ids[old] if old in ids else old + shift))
    return Btf.parse(builder.build(), base=base, path=split.path)


def check_base(split: Btf) -> None:
    """See whether types are based on those that they are said to be.

    They name strings of their base by their places: in another one there are other strings there.
    Raises: BtfError where a name begins amidst a string.
    """
    base = split.base
    strings = base.strings.data if base and not base.base else b""
    for type_id in range(split.first_id, min(len(split), split.first_id + _LOOKED_AT)):
        (at,) = unpack_from(split.order + "I", split.data, split.record_offset(type_id))
        if 0 < at < len(strings) and strings[at - 1]:
            where = base.path if base else ""
            raise BtfError(
                f"these types are based on others than those of {where or 'the base'}",
                path=split.path or None,
                code=CODE,
                evidence=[f"the name of type {type_id} begins amidst a string of that base"],
                remedy=REMEDY,
            )


class _Matches:
    """Finds the type of a kernel for each type of the small base."""

    def __init__(self, split: Btf, base: Btf) -> None:
        assert split.base is not None
        self._split, self._base, self._small = split, base, split.base
        self._embedded = set(self._find_embedded())

    def ids(self) -> dict[int, int]:
        """The ids by those of the small base. Raises: BtfError."""
        found, lacking = {0: 0}, list[str]()
        for wanted in self._small.types():
            matches = self._matches(wanted)
            if len(matches) == 1:
                found[wanted.id] = matches[0]
            else:
                lacking.append(self._complaint(wanted, matches))
        if lacking:
            raise self._error(lacking)
        return found

    def _matches(self, wanted: t.Type) -> list[int]:
        if not wanted.name:
            raise self._small.error(f"type {wanted.id} of the base has no name", wanted.id)
        match wanted:
            case t.Int() | t.Float():
                return [one for one in self._named(wanted) if self._is_alike(wanted, one)]
            case t.Enum():
                found = self._base.find_all(wanted.name, (Kind.ENUM, Kind.ENUM64))
                return [one for one in found if self._base.size_of(one) == wanted.size_bytes]
            case t.Struct():
                return self._structs(wanted)
            case t.Fwd():
                kind = Kind.UNION if wanted.is_union else Kind.STRUCT
                return self._base.find_all(wanted.name, (kind,)) or [
                    one for one in self._named(wanted) if self._is_alike(wanted, one)
                ]
        word = wanted.kind.name.lower()
        raise self._small.error(f"type {wanted.id} of the base is of kind {word}", wanted.id)

    def _named(self, wanted: t.Type) -> list[int]:
        return self._base.find_all(wanted.name, (wanted.kind,))

    def _is_alike(self, wanted: t.Type, found: int) -> bool:
        values = [
            {name: getattr(one, name) for name in type(one).__match_args__ if name != "id"}
            for one in (wanted, self._base.type(found))
        ]
        return values[0] == values[1]

    def _structs(self, wanted: t.Struct) -> list[int]:
        """Sizes count where the struct is embedded, and where there are several of the name."""
        found = self._named(wanted)
        if len(found) > 1 or wanted.id in self._embedded:
            found = [one for one in found if self._base.size_of(one) == wanted.size_bytes]
        return found

    def _find_embedded(self) -> Iterator[int]:
        """Yield the structs of the small base that lie inside of structs of the module."""
        for one in self._split.types():
            for member in one.members if isinstance(one, t.Struct) else ():
                at = self._behind_arrays(member.type_id)
                if at < self._split.first_id:
                    yield at

    def _behind_arrays(self, type_id: int) -> int:
        at = self._split.skip_modifiers(type_id)
        for _ in range(MAX_DEPTH):
            found = self._split.type(at)
            if not isinstance(found, t.Array):
                return at
            at = self._split.skip_modifiers(found.elem_type_id)
        raise self._split.error(f"type {type_id} is nested too deeply", type_id)

    def _complaint(self, wanted: t.Type, matches: list[int]) -> str:
        size = getattr(wanted, "size_bytes", 0)
        what = describe(wanted) + (f" of {size} bytes" if size else "")
        if matches:
            return f"it has {len(matches)} of {what}"
        there = self._base.find_all(wanted.name, (wanted.kind,))
        sizes = sorted({self._base.size_of(one) for one in there} - {size}) if size else []
        others = " and ".join(map(str, sizes))
        return f"it has no {what}" + (f", only of {others}" if others else "")

    def _error(self, lacking: list[str]) -> BtfError:
        base = self._base.path or "the base"
        error = self._split.error(f"these types cannot be put on those of {base}", code=CODE)
        error.evidence = lacking[:_SHOWN]
        if len(lacking) > _SHOWN:
            error.evidence.append(f"and {len(lacking) - _SHOWN} more")
        error.remedy = REMEDY
        return error
