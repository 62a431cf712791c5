"""Keys and values of maps by their types: from bytes to what JSON can hold.

`compile_reader` is for a value at a time; `values_text` writes many at once as JSON.
"""

from __future__ import annotations

import struct

from bpfctl.btf.values_leaf import Leaf, Style, Value
from bpfctl.btf.values_shape import Items, Node, compile_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfctl.btf.decode import Btf

    Reader = Callable[[bytes | bytearray | memoryview, int], Value]

__all__ = ["Style", "Value", "checked_shape", "compile_reader"]


def checked_shape(btf: Btf, type_id: int, style: Style, size_bytes: int | None = None) -> Node:
    """The shape of a type's values, which must be of `size_bytes` where that is given.

    Raises: BtfError ("btf-no-values") for types that have no values or are hostile, and
    ("btf-size-mismatch") when the size differs: then the bytes are not of this type.
    """
    shape = compile_shape(btf, type_id, style)
    if size_bytes is not None and shape.size != size_bytes:
        message = f"type {btf.type_name(type_id)!r} has {shape.size} bytes, not {size_bytes}"
        raise btf.error(message, type_id, code="btf-size-mismatch")
    return shape


def compile_reader(
    btf: Btf, type_id: int, *, style: Style = Style.NATURAL, size_bytes: int | None = None
) -> Reader:
    """A function that reads a value of that type from a buffer, at an offset in bytes.

    It gives numbers, booleans, enum names (numbers without one), strings (`char` arrays), lists
    and dicts; pointers are numbers. Byte order is that of `btf`. The buffer must hold
    `btf.size_of(type_id)` bytes from the offset on, else `struct.error` is raised.
    Raises: BtfError as `checked_shape`.
    """
    return _reader(checked_shape(btf, type_id, style, size_bytes), btf.order)


def _reader(node: Node, order: str) -> Reader:
    if isinstance(node, Leaf):
        return _leaf_reader(node, order)
    if isinstance(node, Items):
        return _items_reader(node, order)
    parts = [(field.name, field.offset, _reader(field.node, order)) for field in node.fields]
    if node.is_list:
        return lambda data, at: [{name or "": read(data, at + o)} for name, o, read in parts]

    def read_fields(data: bytes | bytearray | memoryview, at: int) -> Value:
        found: dict[str, Value] = {}
        for name, offset, read in parts:
            value = read(data, at + offset)
            if name is None and isinstance(value, dict):
                found.update(value)
            else:
                found[name or ""] = value
        return found

    return read_fields


def _leaf_reader(node: Leaf, order: str) -> Reader:
    unpack, decode = struct.Struct(order + node.code).unpack_from, node.decode
    if decode is None:
        return lambda data, at: unpack(data, at)[0]
    return lambda data, at: decode(unpack(data, at)[0])


def _items_reader(node: Items, order: str) -> Reader:
    item, count = node.item, node.count
    if isinstance(item, Leaf) and item.decode is None:
        unpack = struct.Struct(f"{order}{count}{item.code}").unpack_from
        return lambda data, at: list(unpack(data, at))
    size, read = item.size, _reader(item, order)
    return lambda data, at: [read(data, at + index * size) for index in range(count)]
