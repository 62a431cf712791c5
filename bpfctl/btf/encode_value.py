"""Values of Python as the bytes of a type: what `values.compile_reader` reads, the other way."""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.access import Place
from bpfctl.btf.write_value import write_value
from bpfctl.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bpfctl.btf.decode import Btf

    Plain = int | float | str | bytes | Mapping[str, "Plain"] | Sequence["Plain"]


def encode_value(btf: Btf, type_id: int, value: Plain) -> bytes:
    """The bytes of a value of that type; what is not said is zero.

    Structs are dicts by member, arrays lists, `char` arrays text; enumerations take their names.
    Bytes go as they are. Raises: UsageError for a value that does not fit, BtfError.
    """
    data = bytearray(btf.size_of(type_id))
    write_plain(btf, data, Place(type_id, 0), value)
    return bytes(data)


def write_plain(btf: Btf, data: bytearray, place: Place, value: Plain) -> None:
    """Store a value at a place of `data`; of structs and arrays what is not said stays.

    Raises: as `encode_value`.
    """
    if isinstance(value, bytes):
        _write_bytes(btf, data, place, value)
    elif isinstance(value, dict):
        _write_members(btf, data, place, value)
    elif isinstance(value, (list, tuple)):
        _write_items(btf, data, place, value)
    else:
        text = str(int(value)) if isinstance(value, bool) else str(value)
        write_value(btf, data, place, text)


def _write_bytes(btf: Btf, data: bytearray, place: Place, value: bytes) -> None:
    size = btf.size_of(place.type_id)
    if len(value) != size or place.bits:
        raise _refused(f"{btf.type_name(place.type_id)} has {size} bytes, not {len(value)}")
    start = place.offset_bits // 8
    data[start : start + size] = value


def _write_members(btf: Btf, data: bytearray, place: Place, values: Mapping[str, Plain]) -> None:
    for name, value in values.items():
        member = btf.member(place.type_id, name)
        if member is None:
            raise _refused(f"{btf.type_name(place.type_id)} has no member {name}")
        inner = Place(member.type_id, place.offset_bits + member.offset_bits, member.bitfield_bits)
        write_plain(btf, data, inner, value)


def _write_items(btf: Btf, data: bytearray, place: Place, values: Sequence[Plain]) -> None:
    array = btf.type(btf.skip_modifiers(place.type_id))
    if not isinstance(array, t.Array) or len(values) > array.nelems:
        raise _refused(f"{btf.type_name(place.type_id)} takes no list of {len(values)} values")
    bits = 8 * btf.size_of(array.elem_type_id)
    for index, value in enumerate(values):
        write_plain(btf, data, Place(array.elem_type_id, place.offset_bits + bits * index), value)


def _refused(message: str) -> UsageError:
    return UsageError(message, code="value-does-not-fit")
