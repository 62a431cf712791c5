"""Where things lie in BTF: the header, the sizes of records, the walk that finds each record.

A BTF blob is a header, a section of type records that follow one another without an index, a
section of strings, and from Linux 7.1 on a section that tells the record sizes of every kind.
Source: include/uapi/linux/btf.h, Linux 6.18; struct btf_layout, 7.1; the wider "info" word, 7.2.
"""

from __future__ import annotations

import struct
import sys

from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError
from bpfctl.plain import plain
from bpfctl.plain_tools import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator
    from typing import TypeAlias

    Blob: TypeAlias = bytes | memoryview[int]
    Words: TypeAlias = array[int] | memoryview[int]

MAGIC = 0xEB9F
VERSION = 1
HEADER_BYTES = 24
NEWER = "use a newer bpfctl, or types made by an older pahole or compiler"
BASED = "name those with --base-btf (of a module: the vmlinux of the kernel it was made for)"
RECORD_WORDS = 3  # name_off, info, size or type

# Words that follow a record: (fixed, per element counted by vlen).
TAIL_WORDS: dict[int, tuple[int, int]] = {
    Kind.INT: (1, 0),
    Kind.PTR: (0, 0),
    Kind.ARRAY: (3, 0),
    Kind.STRUCT: (0, 3),
    Kind.UNION: (0, 3),
    Kind.ENUM: (0, 2),
    Kind.FWD: (0, 0),
    Kind.TYPEDEF: (0, 0),
    Kind.VOLATILE: (0, 0),
    Kind.CONST: (0, 0),
    Kind.RESTRICT: (0, 0),
    Kind.FUNC: (0, 0),  # its vlen is the linkage
    Kind.FUNC_PROTO: (0, 2),
    Kind.VAR: (1, 0),
    Kind.DATASEC: (0, 3),
    Kind.FLOAT: (0, 0),
    Kind.DECL_TAG: (1, 0),
    Kind.TYPE_TAG: (0, 0),
    Kind.ENUM64: (0, 3),
}


def kind_of(info: int) -> int:
    """The kind in an info word: bits 24-30 (24-28 before Linux 7.2, the others 0)."""
    return info >> 24 & 0x7F


def vlen_of(info: int) -> int:
    """The element count in an info word: bits 0-23 (0-15 before Linux 7.2, the others 0)."""
    return info & 0xFFFFFF


def flag_of(info: int) -> bool:
    """The kind_flag in an info word."""
    return info >> 31 == 1


@plain
class Header:
    """The sections of a blob as byte offsets from its beginning. `layout_*` are 0 when absent."""

    order: str
    type_off: int
    type_len: int
    str_off: int
    str_len: int
    layout_off: int
    layout_len: int


def byte_order(data: Blob, what: str, path: str) -> str:
    """Tell the byte order by the magic number, as `struct` writes it. Raises: BtfError."""
    for order in "<>":
        if len(data) >= 2 and struct.unpack_from(order + "H", data)[0] == MAGIC:
            return order
    message = f"{what} does not begin with the magic number 0xeb9f"
    raise BtfError(message, path=path or None, section=what, offset=0)


def parse_header(data: Blob, path: str) -> Header:
    """Read the header and check that each section lies inside the blob.

    A header longer than ours is fine: it comes from a newer producer.
    Raises: BtfError.
    """
    order = byte_order(data, ".BTF", path)
    if len(data) < HEADER_BYTES:
        raise _broken(f"is {len(data)} bytes long, shorter than its header", path, 0)
    _, version, _, hdr_len, *fields = struct.unpack_from(order + "HBBIIIII", data)
    if version != VERSION:
        raise _broken(f"has version {version}; only version 1 is known", path, 2)
    if not HEADER_BYTES <= hdr_len <= len(data):
        raise _broken(f"has a header of {hdr_len} bytes in {len(data)} bytes", path, 4)
    # Both fields of the layout section or none: headers of 28 bytes were never made.
    fields += struct.unpack_from(order + "II", data, HEADER_BYTES) if hdr_len >= 32 else (0, 0)
    spans = list(zip(("type", "string", "layout"), fields[::2], fields[1::2], strict=True))
    for name, offset, length in spans:
        if hdr_len + offset + length > len(data):
            raise _broken(f"has a {name} section that ends behind its end", path, 4)
        if offset % 4 and name != "string":
            raise _broken(f"has a {name} section that is not aligned to 4 bytes", path, 4)
    (_, types, type_len), (_, strings, str_len), (_, layout, layout_len) = spans
    return Header(
        order, hdr_len + types, type_len, hdr_len + strings, str_len, hdr_len + layout, layout_len
    )


def check_strings(data: Blob, header: Header, path: str, *, split: bool) -> None:
    """Every string must end in the section; the first is "", which split BTF has in its base.

    Raises: BtfError.
    """
    first, end = header.str_off, header.str_off + header.str_len
    ends = header.str_len > 0 and data[end - 1] == 0
    if ends and data[first] and not split:
        message = "these types are based on others, and it is not known on which"
        raise BtfError(
            message,
            path=path or None,
            section=".BTF",
            offset=first,
            code="btf-base-missing",
            remedy=BASED,
        )
    if not ends and not (split and header.str_len == 0):
        message = "the string section does not begin and end with a zero byte"
        raise BtfError(message, path=path or None, section=".BTF", offset=first)


def tail_sizes(data: Blob, header: Header) -> dict[int, tuple[int, int]]:
    """Record tails by kind, in words, with the kinds we do not know from the layout section.

    Sizes that are no multiple of 4 bytes would misalign all later records: such kinds stay unknown.
    """
    sizes = dict(TAIL_WORDS)
    for kind in range(header.layout_len // 4):
        fixed, each, _ = struct.unpack_from(
            header.order + "BBH", data, header.layout_off + 4 * kind
        )
        if kind and kind not in sizes and fixed % 4 == 0 and each % 4 == 0:
            sizes[kind] = (fixed // 4, each // 4)
    return sizes


def section_words(data: Blob, header: Header, path: str) -> Words:
    """The type section as native 32-bit words: a view of it, without a copy, where it has them.

    Raises: BtfError when it ends inside a word.
    """
    end = header.type_off + header.type_len
    if header.type_len % 4:
        raise _broken("has a type section that ends inside a word", path, end)
    section = memoryview(data)[header.type_off : end]
    native = header.order == ("<" if sys.byteorder == "little" else ">")
    if native:
        return section.cast("I")
    from array import array as new_array  # it imports the whole of collections

    words = new_array("I")
    if words.itemsize != 4:  # pragma: no cover - no Linux platform has such a C compiler
        raise _broken("cannot be read: this Python has no 4-byte array items", path, 0)
    words.frombytes(section)
    words.byteswap()
    return words


class RecordWords(dict[int, int]):
    """By info word, the words to the next record; a kernel has some hundred different ones."""

    def __init__(self, sizes: dict[int, tuple[int, int]]) -> None:
        super().__init__()
        self._sizes = sizes

    def __missing__(self, info: int) -> int:
        """Compute what was not asked before. Raises: KeyError for an unknown kind."""
        self[info] = step = record_words(info, self._sizes)
        return step


def record_words(info: int, sizes: dict[int, tuple[int, int]]) -> int:
    """The size of a record with that info word, in words. Raises: KeyError for an unknown kind."""
    fixed, each = sizes[kind_of(info)]
    return RECORD_WORDS + fixed + each * vlen_of(info)


def walk_records(
    words: Words, sizes: dict[int, tuple[int, int]], header: Header, path: str, first_id: int
) -> list[int]:
    """Where in `words` each type record starts, in the order of type ids.

    Raises: BtfError for a record that ends behind the section, or of unknown kind.
    """
    starts: list[int] = []
    with suppress(KeyError):
        starts.extend(_starts(words, RecordWords(sizes)))
    at = starts.pop()  # where the next one would be
    missing = at - len(words)
    if not missing:
        return starts
    if missing < -1:
        kind = kind_of(words[at + 1])
        where = f"type {first_id + len(starts)}"
        message = f"has a record of unknown kind {kind} ({where}), and does not tell its size"
        unknown = _broken(message, path, header.type_off + 4 * at, code="btf-unknown-kind")
        unknown.remedy = NEWER
        raise unknown
    if missing > 0:
        at = starts.pop()
    last = f"type {first_id + len(starts)}"
    raise _broken(f"ends inside the record of {last}", path, header.type_off + 4 * at)


def _starts(words: Words, steps: RecordWords) -> Iterator[int]:
    """Where each record starts, and where the next one would.

    This runs over every record of the kernel's BTF, more than 100,000, hence the plain loop.
    """
    infos = words[1:]
    at = 0
    with suppress(IndexError):
        while True:
            yield at
            at += steps[infos[at]]


def _broken(message: str, path: str, offset: int, code: str | None = None) -> BtfError:
    return BtfError(
        f"type information {message}", path=path or None, section=".BTF", offset=offset, code=code
    )
