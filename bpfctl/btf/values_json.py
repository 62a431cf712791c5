"""The JSON of one value by its shape."""

from __future__ import annotations

import struct
from json.encoder import encode_basestring_ascii as quoted

from bpfctl.btf.values_leaf import Leaf
from bpfctl.btf.values_shape import Field, Fields, Items, Node
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bpfctl.btf.values_leaf import Value

    Writer = Callable[[bytes, int], str]


@plain
class Marks:
    """The separators of JSON: after an item, and between a name and its value."""

    item: str = ","
    name: str = ":"


COMPACT = Marks()
SPACED = Marks(", ", ": ")


def flat(node: Fields) -> Iterable[Field]:
    """The fields of a struct, with those of merged anonymous members in their place."""
    for field in node.fields:
        if field.name is None and isinstance(field.node, Fields):
            for inner in flat(field.node):
                yield Field(inner.name, field.offset + inner.offset, inner.node)
        else:
            yield field


def brackets(node: Fields, marks: Marks) -> tuple[str, str, str]:
    """What stands before, between and after the fields."""
    if node.is_list:
        return ("[{", "}" + marks.item + "{", "}]") if node.fields else ("[", "", "]")
    return "{", marks.item, "}"


def dumps(value: Value) -> str:
    """The JSON of a single value that is no dict."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ",".join(map(dumps, value)) + "]"
    return repr(value)


def compile_writer(node: Node, order: str, marks: Marks) -> Writer:
    """A function that gives the JSON of the value at an offset."""
    if isinstance(node, Leaf):
        return _leaf_writer(node, order)
    if isinstance(node, Items):
        return _items_writer(node, order, marks)
    before, between, after = brackets(node, marks)
    parts = [
        (quoted(f.name or "") + marks.name, f.offset, compile_writer(f.node, order, marks))
        for f in flat(node)
    ]

    def write(data: bytes, at: int) -> str:
        texts = [name + write_field(data, at + offset) for name, offset, write_field in parts]
        return before + between.join(texts) + after

    return write


def _leaf_writer(node: Leaf, order: str) -> Writer:
    unpack, decode = struct.Struct(order + node.code).unpack_from, node.decode
    if decode is None:
        return lambda data, at: str(unpack(data, at)[0])
    return lambda data, at: dumps(decode(unpack(data, at)[0]))


def _items_writer(node: Items, order: str, marks: Marks) -> Writer:
    item, count, between = node.item, node.count, marks.item
    if isinstance(item, Leaf) and item.decode is None:
        unpack = struct.Struct(f"{order}{count}{item.code}").unpack_from
        return lambda data, at: "[" + between.join(map(str, unpack(data, at))) + "]"
    size, write = item.size, compile_writer(item, order, marks)

    def write_items(data: bytes, at: int) -> str:
        texts = [write(data, at + index * size) for index in range(count)]
        return "[" + between.join(texts) + "]"

    return write_items
