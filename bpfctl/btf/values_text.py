"""Write many keys or values at once as JSON text, at a speed that fits maps of millions.

What an entry looks like is a `Part`: a %-template, and a function that makes the columns of
arguments for it from the bytes of many rows. Templates of several parts are joined, their columns
interleaved, and a whole batch is formatted by one `%`, so that nothing is done in Python for each
entry. Shapes too large for a template are written a value at a time.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from operator import itemgetter

from bpfctl.btf.values_json import COMPACT, Marks, brackets, compile_writer, dumps, flat
from bpfctl.btf.values_leaf import Leaf
from bpfctl.btf.values_shape import Fields, Items, Node
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Columns = list[Sequence[object]]

MAX_COLUMNS = 192  # of a template; what has more is written a value at a time
MAX_LANES = 16  # passes over the bytes; unions and bit-fields need several


@plain
class Part:
    """A piece of every entry.

    `template` has one conversion for each column. `columns` gets `count` rows without gaps and
    gives for each column its `count` arguments.
    """

    template: str
    columns: Callable[[bytes, int], Columns]


def literal(text: str) -> str:
    """A text as it must stand in a template."""
    return text.replace("%", "%%")


def combine(template: str, between: str, columns: Columns, count: int) -> str:
    """Format `count` entries: row i of all columns fills the i-th copy of the template."""
    width = len(columns)
    arguments: list[object] = [None] * (width * count)
    for index, column in enumerate(columns):
        arguments[index::width] = column
    return _repeated(template, between, count) % tuple(arguments)


@lru_cache(maxsize=4)
def _repeated(template: str, between: str, count: int) -> str:
    return literal(between).join([template] * count)


# --- raw bytes


def hex_array(size: int) -> Part:
    """Bytes as bpftool writes them in JSON: ["0x01","0x00"]."""

    def columns(rows: bytes, count: int) -> Columns:
        digits = rows.hex().encode()
        text = bytearray(b'"0x00",') * len(rows)
        text[3::7] = digits[0::2]
        text[4::7] = digits[1::2]
        return [_cut(text.decode("ascii"), 7 * size, 7 * size - 1, count)]

    return Part("[%s]", columns) if size else Part("[]", lambda _rows, _count: [])


def hex_words(size: int) -> Part:
    """Bytes for people: 01 00."""

    def columns(rows: bytes, count: int) -> Columns:
        return [_cut(rows.hex(" "), 3 * size, 3 * size - 1, count)]

    return Part("%s", columns) if size else Part("-", lambda _rows, _count: [])


def _cut(text: str, stride: int, length: int, count: int) -> Sequence[str]:
    if count == 1:
        return (text[:length],)
    return _cutter(stride, length, count)(text)


@lru_cache(maxsize=8)
def _cutter(stride: int, length: int, count: int) -> Callable[[str], tuple[str, ...]]:
    """Cut `count` pieces (at least 2) at once; the slices are made once for all batches."""
    return itemgetter(*(slice(at, at + length) for at in range(0, stride * count, stride)))


# --- by type


def value_part(node: Node, order: str, marks: Marks = COMPACT) -> Part:
    """The JSON of a value of that shape."""
    plan = _Plan(marks)
    if node.weight <= MAX_COLUMNS and plan.add(node, 0):
        lanes = plan.lanes(node.size, order)
        if len(lanes) <= MAX_LANES:
            return Part("".join(plan.template), _lane_columns(lanes))
    write, size = compile_writer(node, order, marks), node.size

    def columns(rows: bytes, count: int) -> Columns:
        return [[write(rows, index * size) for index in range(count)]]

    return Part("%s", columns)


@plain
class Lane:
    """Leaves that one pass over a row finds, in the order in which they are written.

    `code` is the format of a row for `struct`, without the byte order.
    """

    order: str
    code: str
    leaves: tuple[Leaf, ...]


class _Plan:
    """The template of a shape, and its leaves with their offsets, in the order of the text."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.template: list[str] = []
        self.leaves: list[tuple[int, Leaf]] = []

    def add(self, node: Node, offset: int) -> bool:
        if isinstance(node, Leaf):
            self.leaves.append((offset, node))
            self.template.append("%d" if node.decode is None else "%s")
        elif isinstance(node, Items):
            self.items(node, offset)
        else:
            self.fields(node, offset)
        return bool(self.leaves)

    def items(self, node: Items, offset: int) -> None:
        self.template.append("[")
        for index in range(node.count):
            if index:
                self.template.append(self.marks.item)
            self.add(node.item, offset + index * node.item.size)
        self.template.append("]")

    def fields(self, node: Fields, offset: int) -> None:
        before, between, after = brackets(node, self.marks)
        self.template.append(before)
        for index, field in enumerate(flat(node)):
            if index:
                self.template.append(between)
            self.template.append(literal(quoted(field.name or "")) + self.marks.name)
            self.add(field.node, offset + field.offset)
        self.template.append(after)

    def lanes(self, size: int, order: str) -> list[Lane]:
        """Spread the leaves over passes: one that begins before the last ended opens a new pass."""
        found: list[Lane] = []
        code, end, leaves = "", 0, list[Leaf]()
        for offset, leaf in self.leaves:
            if offset < end:
                found.append(Lane(order, f"{code}{size - end}x", tuple(leaves)))
                code, end, leaves = "", 0, []
            code += f"{offset - end}x{leaf.code}"
            end = offset + leaf.size
            leaves.append(leaf)
        return [*found, Lane(order, f"{code}{size - end}x", tuple(leaves))]


def _lane_columns(lanes: list[Lane]) -> Callable[[bytes, int], Columns]:
    def columns(rows: bytes, count: int) -> Columns:
        found: Columns = []
        for lane in lanes:
            flat_values = _unpacker(lane.order, lane.code, count).unpack(rows)
            width = len(lane.leaves)
            for index, leaf in enumerate(lane.leaves):
                column = flat_values[index::width]
                found.append(column if leaf.decode is None else leaf_texts(leaf, column))
        return found

    return columns


@lru_cache(maxsize=16)
def _unpacker(order: str, code: str, count: int) -> struct.Struct:
    """Unpack many rows at once; made once for all batches of that size."""
    return struct.Struct(order + code * count)


# --- leaves that are no plain numbers


# How a byte of a character array is treated: "a" needs no escape, "b" needs a closer look.
_CLASSES = bytes(
    0 if byte == 0 else ord("a" if 0x20 <= byte < 0x7F and byte not in b'"\\' else "b")
    for byte in range(256)
)


def leaf_texts(leaf: Leaf, column: Sequence[bytes]) -> Sequence[str]:
    """The JSON of a leaf's raw bytes, row by row."""
    quick = _quick_texts(leaf.size, column) if leaf.is_text else None
    if quick is not None:
        return quick
    decode = leaf.decode
    assert decode is not None
    texts = {data: dumps(decode(data)) for data in set(column)}
    return [texts[data] for data in column]


def _quick_texts(size: int, column: Sequence[bytes]) -> Sequence[str] | None:
    """The same for strings that are all ASCII, without escapes, and filled up with zero bytes.

    None when there is any other. All strings are checked and cut at once.
    """
    rows = b"".join(column)
    classes = rows.translate(_CLASSES)
    if b"b" in classes or any(classes[size - 1 :: size]):  # an odd byte, or no zero at the end
        return None
    lines = b"\n".join(column)
    if b"\0a" in lines.translate(_CLASSES):  # something after the first zero byte
        return None
    text = lines.replace(b"\0", b"").replace(b"\n", b'"\n"').decode("ascii")
    return f'"{text}"'.split("\n")
