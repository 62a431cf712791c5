"""Values of the kernel's configuration, as an object declares them: what is stored for each.

Source: the behaviour of libbpf 1.5 and the section "Kconfig externs" of bpf_helpers.h.
"""

from __future__ import annotations

from bpfctl.btf.types import Array, Enum, Int
from bpfctl.loader.extern_result import Missing, Value
from bpfctl.plain_enum import Enum as Choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import ExternSpec
    from bpfctl.linux.kconfig import KernelConfig

TRISTATE: Final = "libbpf_tristate"  # enum libbpf_tristate of bpf_helpers.h
_TRISTATES: Final = {"n": 0, "y": 1, "m": 2}
_U64: Final = (1 << 64) - 1
_NEAREST: Final = 3
_SIMILAR: Final = 0.8


class Shape(Choice):
    """What kind of value a variable holds."""

    BOOL = "bool"
    TRISTATE = "enum libbpf_tristate"
    CHAR = "char"
    NUMBER = "integer"
    TEXT = "array of char"


class MisfitError(ValueError):
    """Why a value cannot be stored, in words."""


def shape_of(btf: Btf, type_id: int) -> Shape | None:
    """What a variable of that type holds; None when no configuration has such values."""
    found = btf.type(btf.skip_modifiers(type_id))
    match found:
        case Int() if found.is_bool:
            return Shape.BOOL if found.size_bytes == 1 else None
        case Int() if found.size_bytes == 1:
            return Shape.CHAR
        case Int() if found.size_bytes in (2, 4, 8):
            return Shape.NUMBER
        case Enum() if found.name == TRISTATE and (found.is64 or found.size_bytes == 4):
            return Shape.TRISTATE
        case Array() if found.nelems and shape_of_item(btf, found) is Shape.CHAR:
            return Shape.TEXT
    return None


def shape_of_item(btf: Btf, array: Array) -> Shape | None:
    """What one element of an array holds; an array of arrays is no text."""
    item = btf.type(btf.skip_modifiers(array.elem_type_id))
    return shape_of(btf, item.id) if isinstance(item, Int) else None


def encode(shape: Shape, text: str, *, quoted: bool, size_bytes: int, signed: bool) -> bytes:
    """Store the value of an option as the file has it. Raises: MisfitError."""
    if quoted:
        return _encode_text(shape, text, size_bytes)
    if text in _TRISTATES:
        return _encode_tristate(shape, text, size_bytes)
    try:
        number = int(text, 0)
    except ValueError:
        raise MisfitError(f"{text} is no number") from None
    return encode_number(shape, number, size_bytes=size_bytes, signed=signed)


def _encode_text(shape: Shape, text: str, size_bytes: int) -> bytes:
    """Characters with a zero at the end; what does not fit is cut."""
    if shape is not Shape.TEXT:
        raise MisfitError(f"it is the string {text!r}, and the object declares {shape.value}")
    return text.encode("utf-8", "surrogateescape")[: size_bytes - 1].ljust(size_bytes, b"\0")


def _encode_tristate(shape: Shape, text: str, size_bytes: int) -> bytes:
    if shape is Shape.BOOL and text != "m":
        return bytes([text == "y"])
    if shape is Shape.TRISTATE:
        return _TRISTATES[text].to_bytes(size_bytes, "little")
    if shape is Shape.CHAR:
        return text.encode()
    raise MisfitError(f"it is {text}, and the object declares {shape.value}")


def encode_number(shape: Shape, number: int, *, size_bytes: int, signed: bool) -> bytes:
    """Store a number. Raises: MisfitError when the variable cannot hold it."""
    if shape is Shape.BOOL and number in (0, 1):
        return bytes([number])
    if shape not in (Shape.NUMBER, Shape.CHAR):
        raise MisfitError(f"it is the number {number}, and the object declares {shape.value}")
    bits = 8 * size_bytes
    if bits < 64:
        low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
        if not low <= number < high:
            raise MisfitError(f"{number} does not fit into {size_bytes} bytes")
    elif not -(1 << 63) <= number <= _U64:
        raise MisfitError(f"{number} does not fit into 8 bytes")
    return (number & (1 << bits) - 1).to_bytes(size_bytes, "little")


def kconfig_value(
    btf: Btf,
    extern: ExternSpec,
    config: Callable[[], KernelConfig | None],
    virtual: Mapping[str, Callable[[], int]],
) -> Value | Missing:
    """What to store for one extern.

    `virtual` computes the values that are in no file, by their names; `config` is asked for only
    if the extern is one of a file.
    """
    shape = shape_of(btf, extern.type_id)
    if shape is None:
        words = f"{btf.type_name(extern.type_id)} is no type for values of a configuration"
        return Missing(words, fatal=True)
    size, signed = btf.size_of(extern.type_id), btf.is_signed(extern.type_id)
    try:
        if extern.name in virtual:
            number = virtual[extern.name]()
            return Value(encode_number(shape, number, size_bytes=size, signed=signed))
        if not extern.name.startswith("CONFIG_"):
            return _unknown(extern, virtual)
        return _from_file(extern, config(), shape, size, signed=signed)
    except MisfitError as err:
        return Missing(str(err), fatal=True)


def _unknown(extern: ExternSpec, virtual: Mapping[str, object]) -> Missing:
    fatal = not extern.name.startswith("LINUX_")
    words = "begins neither with CONFIG_ nor is it a value that bpfctl computes"
    return Missing(words, nearest=_close(extern.name, virtual), fatal=fatal)


def _from_file(
    extern: ExternSpec, config: KernelConfig | None, shape: Shape, size: int, *, signed: bool
) -> Value | Missing:
    if config is None:
        return Missing("no file tells the kernel's configuration", remedy="--kernel-config FILE")
    text = config.get(extern.name)
    if text is None:
        nearest = _close(extern.name, config.options)
        return Missing(f"is not set in {config.source}", nearest=nearest, option=extern.name)
    quoted = extern.name in config.strings
    data = encode(shape, text, quoted=quoted, size_bytes=size, signed=signed)
    length = len(text.encode("utf-8", "surrogateescape")) if quoted else 0
    return Value(data, length if length >= size else 0)


def _close(name: str, names: Mapping[str, object]) -> tuple[str, ...]:
    import difflib

    return tuple(difflib.get_close_matches(name, names, _NEAREST, _SIMILAR))
