"""Maps defined by variables of section "maps": before types could define them.

Two structs were in use, and both begin alike: struct bpf_map_def of libbpf and the kernel's
samples (type, key_size, value_size, max_entries, map_flags), and tc's struct bpf_elf_map, which
goes on with id, pinning, inner_id and inner_idx (include/bpf_elf.h, iproute2 6.1). libbpf 1.0
dropped the first and never took the second.
"""

from __future__ import annotations

from struct import Struct

from bpfctl.btf.types import Kind, Var
from bpfctl.btf.types import Struct as StructType
from bpfctl.elf.map_defs import map_type
from bpfctl.elf.map_sections import is_legacy
from bpfctl.elf.spec import MapSpec
from bpfctl.errors import BtfError
from bpfctl.kernel.uapi import MapType
from bpfctl.plain import replace
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.elf_file import ElfFile, Section, Symbol

_WORDS: Final = Struct("<IIII")  # type, key_size, value_size, max_entries
_FLAGS_AT: Final = 16
_FLAGS: Final = Struct("<I")
_TC: Final = Struct("<IIII")  # id, pinning, inner_id, inner_idx
_TC_AT: Final = 20
_TC_BYTES: Final = 36
_TC_NAME: Final = "bpf_elf_map"
_TC_MEMBERS: Final = {("id", 20), ("pinning", 24)}
_NO_INDEX: Final = 0xFFFFFFFF
_PIN_NONE, _PIN_OBJECT, _PIN_GLOBAL = 0, 1, 2
_STT_SECTION: Final = 3
_OF_MAPS: Final = (MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS)
# What BPF_ANNOTATE_KV_PAIR of bpf_helpers.h (libbpf 0.x) names the struct with both types.
_TYPES: Final = "____btf_map_"


class LegacyMap(NamedTuple):
    """A map and where its variable lies: section number, byte offset. `tc_id` 0 is none."""

    spec: MapSpec
    section: int
    offset: int
    tc_id: int = 0


class _Tc(NamedTuple):
    """What only tc's definitions say."""

    id: int
    pinning: int
    inner_id: int
    inner_idx: int


def read_legacy_maps(elf: ElfFile, btf: Btf | None) -> list[LegacyMap]:
    """All such maps, by section and place.

    Raises: ObjectFileError for a definition that is cut, or says what we do not understand.
    """
    found: list[LegacyMap] = []
    extras: list[_Tc | None] = []
    for section in filter(is_legacy, elf.sections):
        symbols = sorted(
            (one for one in elf.symbols_in(section) if one.name and one.type != _STT_SECTION),
            key=lambda one: one.value,
        )
        if not symbols:
            raise elf.error("has definitions of maps, and no symbol that names one", section)
        ends = [one.value for one in symbols[1:]] + [section.size]
        for symbol, after in zip(symbols, ends, strict=True):
            spec, extra = _definition(elf, section, symbol, after, btf)
            found.append(LegacyMap(spec, section.number, symbol.value, extra.id if extra else 0))
            extras.append(extra)
    return _with_inner(found, extras)


def _definition(
    elf: ElfFile, section: Section, symbol: Symbol, after: int, btf: Btf | None
) -> tuple[MapSpec, _Tc | None]:
    end = symbol.value + symbol.size if symbol.size else after
    data = bytes(section.data[symbol.value : end])
    if end > after or len(data) < _WORDS.size:
        message = f"has map {symbol.name} of {len(data)} bytes, which is no definition"
        raise elf.error(message, section, symbol.value)
    kind, key_size, value_size, max_entries = _WORDS.unpack_from(data)
    known = _FLAGS_AT + (_FLAGS.size if len(data) >= _TC_AT else 0)
    extra = None
    if _is_tc(btf, symbol.name, len(data)):
        extra, known = _Tc(*_TC.unpack(data[_TC_AT:_TC_BYTES].ljust(_TC.size, b"\0"))), _TC_BYTES
    if any(data[known:]):
        message = f"has map {symbol.name} with values behind map_flags, whose meaning is unknown"
        raise elf.error(message, section, symbol.value + known)
    key_type, value_type = _types(btf, symbol.name, key_size, value_size)
    spec = MapSpec(
        name=symbol.name,
        type=map_type(kind),
        key_size=key_size,
        value_size=value_size,
        max_entries=max_entries,
        flags=_FLAGS.unpack_from(data, _FLAGS_AT)[0] if len(data) >= _TC_AT else 0,
        key_type_id=key_type,
        value_type_id=value_type,
    )
    if extra:
        spec = replace(spec, pin_path=_pin_path(elf, section, symbol, extra.pinning))
    return spec, extra


def _is_tc(btf: Btf | None, variable: str, size: int) -> bool:
    """Whether a definition is tc's: by the struct's name or its members, else by its size.

    tc takes shorter ones, too: what they lack is 0.
    """
    struct = _struct(btf, variable)
    if btf is None or struct is None:
        return size == _TC_BYTES
    members = {(one.name, one.offset_bits // 8) for one in struct.members}
    return size <= _TC_BYTES and (struct.name == _TC_NAME or members >= _TC_MEMBERS)


def _struct(btf: Btf | None, variable: str) -> StructType | None:
    """The struct that a variable is of; None when the object does not tell."""
    found = btf.find(variable, Kind.VAR) if btf else None
    if btf is None or found is None:
        return None
    one = btf.type(found)
    assert isinstance(one, Var)
    struct = btf.type(btf.skip_modifiers(one.type_id))
    return struct if isinstance(struct, StructType) else None


def _types(btf: Btf | None, name: str, key_size: int, value_size: int) -> tuple[int, int]:
    """The types of key and value where the object tells them; 0 for none."""
    found = btf.find(_TYPES + name, Kind.STRUCT) if btf else None
    if btf is None or found is None:
        return 0, 0
    struct = btf.type(found)
    assert isinstance(struct, StructType)
    members = {member.name: member.type_id for member in struct.members}
    try:
        fits = [btf.size_of(members[one]) for one in ("key", "value")] == [key_size, value_size]
    except (KeyError, BtfError):
        return 0, 0
    return (members["key"], members["value"]) if fits else (0, 0)


# --- tc


def _pin_path(elf: ElfFile, section: Section, symbol: Symbol, pinning: int) -> str | None:
    """Where tc pins the map, below the bpffs: shared by all objects, or by loads of this one."""
    if pinning == _PIN_NONE:
        return None
    if pinning == _PIN_GLOBAL:
        return f"tc/globals/{symbol.name}"
    if pinning == _PIN_OBJECT:
        return f"tc/{object_digest(elf.data)}/{symbol.name}"
    message = f"has map {symbol.name} with pinning {pinning}: only 0, 1 (object) and 2 (global) are"
    raise elf.error(f"{message} known", section, symbol.value + _TC_AT + 4)


def object_digest(data: bytes) -> str:
    """What tc calls the directory of an object: SHA-1 of the file (bpf_obj_hash, iproute2)."""
    import hashlib  # takes longer to import than an object to read

    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _with_inner(maps: list[LegacyMap], extras: Iterable[_Tc | None]) -> list[LegacyMap]:
    """Tell maps of maps, by the id they name, what inner maps look like and which they begin with.

    The inner map of an id says at which index it is to be stored.
    """
    pairs = list(zip(maps, extras, strict=True))
    by_id = {extra.id: (one.spec, extra) for one, extra in pairs if extra and extra.id}
    found = []
    for one, extra in pairs:
        spec = one.spec
        if extra and spec.type in _OF_MAPS and extra.inner_id in by_id:
            inner, said = by_id[extra.inner_id]
            values = () if said.inner_idx == _NO_INDEX else ((said.inner_idx, inner.name),)
            blueprint = replace(inner, name=f"{spec.name}.inner", pin_path=None)
            spec = replace(spec, inner=blueprint, values=values)
        found.append(one._replace(spec=spec))
    return found
