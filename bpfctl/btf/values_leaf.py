"""The indivisible parts of a map's keys and values: from raw bytes to a JSON-able value.

A `Leaf` is read either by `struct` alone (whole numbers of 1 to 8 bytes, the quick way) or as raw
bytes that `decode` turns into a value.
"""

from __future__ import annotations

import struct

from bpfctl.plain import plain
from bpfctl.plain_enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal, TypeAlias

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

NATIVE_CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}  # bits: `struct`'s letter, lower case if signed


class Style(Enum):
    """How to show what has more than one good form.

    NATURAL is what C means: bit-fields and 128-bit integers are numbers, `char` arrays are always
    strings, members of anonymous members belong to the outer struct, and a data section is an
    object of its variables. BPFTOOL is what `bpftool -j map dump` has under "formatted": bit-fields
    and 128-bit integers as hexadecimal strings, a `char` array that is not all printable or has no
    end as a list of numbers, anonymous members under "", and `{".bss": [{"variable": ...}, ...]}`.
    """

    NATURAL = "natural"
    BPFTOOL = "bpftool"


@plain
class Leaf:
    """A part that is read at once.

    `code` is its format for `struct` (without the byte order), `decode` None for whole numbers,
    which need no decoding. `is_text` marks a character array, whose JSON has a quick way.
    """

    code: str
    size: int
    decode: Callable[[bytes], Value] | None = None
    is_text: bool = False

    @property
    def weight(self) -> int:
        """How many values it stands for, in the measure that bounds hostile types."""
        return 1


def number(bits: int, *, signed: bool) -> Leaf:
    """A whole number of 8, 16, 32 or 64 bits."""
    code = NATIVE_CODES[bits]
    return Leaf(code.lower() if signed else code, bits // 8)


def raw(size: int, decode: Callable[[bytes], Value], *, is_text: bool = False) -> Leaf:
    """A part of `size` bytes with a decoder of its own."""
    return Leaf(f"{size}s", size, decode, is_text)


def boolean(size: int) -> Leaf:
    """A truth value: false when all of its bytes are zero."""
    return raw(size, any)


def letter() -> Leaf:
    """One character, for integers that BTF marks as such; bpftool shows it as a string."""
    return raw(1, lambda data: chr(data[0]))


def real(size: int, order: str) -> Leaf:
    """A floating-point number. JSON has no infinities and no NaN: these are strings.

    Sizes other than 2, 4 and 8 bytes (`long double`) are the bytes in hexadecimal.
    """
    code = {2: "e", 4: "f", 8: "d"}.get(size)
    if code is None:
        return opaque(size)
    unpack = struct.Struct(order + code).unpack

    def decode(data: bytes) -> Value:
        (found,) = unpack(data)
        finite = found - found == 0
        return found if finite else str(found)

    return raw(size, decode)


def opaque(size: int) -> Leaf:
    """Bytes of unknown meaning, in hexadecimal."""
    return raw(size, bytes.hex)


def enumeration(size: int, names: Mapping[int, str], order: str, *, signed: bool) -> Leaf:
    """A constant's name, or the number where none fits; of several names the first."""
    mask = (1 << 8 * size) - 1
    byte_order = python_order(order)
    by_bytes: dict[bytes, str] = {}
    for value, name in names.items():
        by_bytes.setdefault((value & mask).to_bytes(size, byte_order), name)

    def decode(data: bytes) -> Value:
        name = by_bytes.get(data)
        return int.from_bytes(data, byte_order, signed=signed) if name is None else name

    return raw(size, decode)


def characters(size: int, style: Style) -> Leaf:
    r"""A `char` array: the text before its first zero byte.

    Bytes that are no UTF-8 are written as `\xff`. In bpftool's style an array without a zero
    byte, or with anything but printable ASCII before it, is a list of signed numbers.
    """
    return raw(size, _bpftool_text if style is Style.BPFTOOL else _text, is_text=True)


def _text(data: bytes) -> Value:
    return data.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _bpftool_text(data: bytes) -> Value:
    text, end, _ = data.partition(b"\0")
    if end and all(0x20 <= byte < 0x7F for byte in text):
        return text.decode("ascii")
    return list(struct.unpack(f"{len(data)}b", data))


@plain
class Bits:
    """Where a bit-field lies: `count` bits from bit `offset` of what holds it."""

    offset: int
    count: int
    signed: bool = False

    @property
    def first_byte(self) -> int:
        """The first byte that has bits of the field."""
        return self.offset // 8

    def leaf(self, order: str, show: Callable[[int], Value]) -> Leaf:
        """The leaf that begins at `first_byte`; `show` gets the number.

        Source: bits count from the least significant one in little-endian BTF and from the most
        significant one in big-endian BTF (Documentation/bpf/btf.rst, Linux 6.18).
        """
        inside = self.offset % 8
        size = (inside + self.count + 7) // 8
        byte_order = python_order(order)
        shift = inside if byte_order == "little" else size * 8 - inside - self.count
        mask, sign = (1 << self.count) - 1, (1 << self.count >> 1) if self.signed else 0

        def decode(data: bytes) -> Value:
            value = int.from_bytes(data, byte_order) >> shift & mask
            return show((value ^ sign) - sign)

        return raw(size, decode)


def hexadecimal(value: int) -> Value:
    """A number as bpftool shows what is no plain integer of C."""
    return f"0x{value:x}"


def python_order(order: str) -> Literal["little", "big"]:
    """Translate the byte order from `struct`'s character to the word that `int` wants."""
    return "little" if order == "<" else "big"
