"""Write a value given in words into the bytes of a variable, as its type demands."""

from __future__ import annotations

import struct

from bpfctl.btf import types as t
from bpfctl.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.access import Place
    from bpfctl.btf.decode import Btf

_BOOLS: Final = {"true": 1, "false": 0}
_FLOATS: Final = {4: "<f", 8: "<d"}
_NEAREST: Final = 3


def write_value(btf: Btf, data: bytearray, place: Place, text: str) -> None:
    """Store the value that `text` says at a place of `data`.

    Integers are decimal, 0x.., 0o.. or 0b.., or a character in single quotes; enumerations take
    their names too, bools true and false; an array of char takes text, any other array a list with
    commas. Raises: UsageError for a value that is none or does not fit; BtfError.
    """
    found = btf.type(btf.skip_modifiers(place.type_id))
    if isinstance(found, t.Array):
        _write_array(btf, data, place, found, text)
        return
    size = btf.size_of(found.id)
    if isinstance(found, t.Float) and size in _FLOATS:
        packed = _packed(_FLOATS[size], text)
        _put(data, place.offset_bits, 8 * size, int.from_bytes(packed, "little"))
        return
    if not isinstance(found, (t.Int, t.Enum)):
        raise _refused(_no_value(btf, found))
    bits = place.bits or 8 * size
    number = _number(found, text)
    _check_range(btf, found, number, bits, btf.type_name(place.type_id))
    _put(data, place.offset_bits, bits, number & (1 << bits) - 1)


def _put(data: bytearray, offset_bits: int, bits: int, number: int) -> None:
    """Store the low bits of a number; bit-fields share their bytes with others."""
    first, end = offset_bits // 8, -(-(offset_bits + bits) // 8)
    shift = offset_bits - 8 * first
    mask = ((1 << bits) - 1) << shift
    before = int.from_bytes(data[first:end], "little")
    data[first:end] = (before & ~mask | number << shift).to_bytes(end - first, "little")


def _number(found: t.Int | t.Enum, text: str) -> int:
    if isinstance(found, t.Enum):
        values = {one.name: one.value for one in found.values}
        if text in values:
            return values[text]
    if isinstance(found, t.Int):
        if found.is_bool and text in _BOOLS:
            return _BOOLS[text]
        if len(text) == 3 and text[0] == text[-1] == "'":
            return ord(text[1])
    try:
        return int(text, 0)
    except ValueError:
        raise _refused(_unreadable(found, text)) from None


def _unreadable(found: t.Int | t.Enum, text: str) -> str:
    if isinstance(found, t.Enum):
        from difflib import get_close_matches

        names = [one.name for one in found.values]
        near = get_close_matches(text, names, _NEAREST) or names[:_NEAREST]
        return f'"{text}" is no number and no value of the enumeration: {", ".join(near)}'
    return f'"{text}" is no {"true or false" if found.is_bool else "whole number"}'


def _check_range(btf: Btf, found: t.Int | t.Enum, number: int, bits: int, name: str) -> None:
    low, high = 0, (1 << bits) - 1
    if isinstance(found, t.Int) and found.is_bool:
        high = 1
    elif btf.is_signed(found.id):
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    if not low <= number <= high:
        name += f" of {bits} bits" if bits % 8 else ""
        raise _refused(f"{number} does not fit: {name} holds {low} to {high}")


def _packed(layout: str, text: str) -> bytes:
    try:
        return struct.pack(layout, float(text))
    except ValueError:
        raise _refused(f'"{text}" is no number') from None
    except OverflowError:
        raise _refused(f"{text} does not fit into {struct.calcsize(layout)} bytes") from None


def _write_array(btf: Btf, data: bytearray, place: Place, array: t.Array, text: str) -> None:
    from bpfctl.btf.access import Place

    item = btf.type(btf.skip_modifiers(array.elem_type_id))
    size = btf.size_of(item.id)
    if isinstance(item, t.Int) and size == 1 and (item.name == "char" or item.is_char):
        encoded = text.encode("utf-8", "surrogateescape")
        if len(encoded) >= array.nelems:
            room = max(array.nelems - 1, 0)
            raise _refused(f"the text has {len(encoded)} bytes, there is room for {room} and a 0")
        start = place.offset_bits // 8
        data[start : start + array.nelems] = encoded.ljust(array.nelems, b"\0")
        return
    if isinstance(item, (t.Array, t.Struct)):
        raise _refused(f"{btf.type_name(array.id)} is set an element at a time: [0]...")
    words = text.split(",")
    if len(words) != array.nelems:
        raise _refused(f"{len(words)} values for an array of {array.nelems}")
    for index, word in enumerate(words):
        one = Place(array.elem_type_id, place.offset_bits + 8 * size * index)
        write_value(btf, data, one, word.strip())


def _no_value(btf: Btf, found: t.Type) -> str:
    name = btf.type_name(found.id)
    if isinstance(found, t.Struct):
        return (
            f"{name} is set a member at a time: .{found.members[0].name if found.members else ''}"
        )
    return f"{name} cannot be set"


def _refused(message: str) -> UsageError:
    return UsageError(message, code="variable-value")
