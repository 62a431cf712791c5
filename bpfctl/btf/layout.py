"""Where things lie in BTF: the header, the sizes of records, the walk that finds each record.

A BTF blob is a header, a section of type records that follow one another without an index, a
section of strings, and from Linux 7.1 on a section that tells the record sizes of every kind.
Source: include/uapi/linux/btf.h, Linux 6.18; struct btf_layout, 7.1; the wider "info" word, 7.2.
"""

from __future__ import annotations

import struct
import sys
from array import array

from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError
from bpfctl.plain import plain

MAGIC = 0xEB9F
VERSION = 1
HEADER_BYTES = 24
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


def byte_order(data: bytes, what: str, path: str) -> str:
    """Tell the byte order by the magic number, as `struct` writes it. Raises: BtfError."""
    for order in "<>":
        if len(data) >= 2 and struct.unpack_from(order + "H", data)[0] == MAGIC:
            return order
    message = f"{what} does not begin with the magic number 0xeb9f"
    raise BtfError(message, path=path or None, section=what, offset=0)


def parse_header(data: bytes, path: str) -> Header:
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


def tail_sizes(data: bytes, header: Header) -> dict[int, tuple[int, int]]:
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


def section_words(data: bytes, header: Header, path: str) -> array[int]:
    """The type section as native 32-bit words. Raises: BtfError when it ends inside a word."""
    if header.type_len % 4:
        end = header.type_off + header.type_len
        raise _broken("has a type section that ends inside a word", path, end)
    words = array("I")
    if words.itemsize != 4:  # pragma: no cover - no Linux platform has such a C compiler
        raise _broken("cannot be read: this Python has no 4-byte array items", path, 0)
    words.frombytes(memoryview(data)[header.type_off : header.type_off + header.type_len])
    if header.order != ("<" if sys.byteorder == "little" else ">"):
        words.byteswap()
    return words


def walk_records(
    words: array[int], sizes: dict[int, tuple[int, int]], header: Header, path: str, first_id: int
) -> tuple[array[int], array[int]]:
    """Where in `words` each type record starts, and its name's offset, in the order of type ids.

    This runs over every record of the kernel's BTF at each start, hence the plain loop: the
    step belonging to an info word is computed once (a kernel has some hundred different ones).
    Raises: BtfError for a record that ends behind the section, or of unknown kind.
    """
    steps: dict[int, int] = {}
    starts: list[int] = []
    names: list[int] = []
    add_start, add_name = starts.append, names.append
    at, end = 0, len(words)
    while at < end:
        try:
            while at < end:
                step = steps[words[at + 1]]
                add_start(at)
                add_name(words[at])
                at += step
        except KeyError:
            info = words[at + 1]
            where = f"type {first_id + len(starts)}"
            steps[info] = _step(info, sizes, where, path, header.type_off + 4 * at)
        except IndexError:
            break
    if at != end:
        last = f"type {first_id + len(starts) - (at > end)}"
        offset = header.type_off + 4 * (starts[-1] if starts and at > end else at)
        raise _broken(f"ends inside the record of {last}", path, offset)
    return array("I", starts), array("I", names)


def _step(info: int, sizes: dict[int, tuple[int, int]], where: str, path: str, offset: int) -> int:
    kind = kind_of(info)
    if kind not in sizes:
        message = f"has a record of unknown kind {kind} ({where}), and does not tell its size"
        raise _broken(message, path, offset, code="btf-unknown-kind")
    fixed, each = sizes[kind]
    return RECORD_WORDS + fixed + each * vlen_of(info)


def _broken(message: str, path: str, offset: int, code: str | None = None) -> BtfError:
    return BtfError(
        f"type information {message}", path=path or None, section=".BTF", offset=offset, code=code
    )
