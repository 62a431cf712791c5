"""BTF made by hand: raw records for broken input, and one sample with every kind."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from elftools.elf.elffile import ELFFile

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder

DATA = Path(__file__).parent.parent / "data"

M32 = 2**32 - 1

# Every kind once or more, each option of a kind in use; ids are the positions.
SAMPLE: tuple[t.Type, ...] = (
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Int(2, "char", 1, t.IntEncoding.CHAR, 0, 8),
    t.Int(3, "_Bool", 1, t.IntEncoding.BOOL, 0, 8),
    t.Int(4, "old_bits", 4, 0, 3, 5),
    t.Float(5, "double", 8),
    t.Array(6, "", 1, 1, 5),
    t.Struct(7, "pair", 16, (t.Member("left", 1, 0), t.Member("rest", 6, 2**24))),
    t.Struct(8, "bits", 8, (t.Member("a", 1, 0, 3), t.Member("b", 1, 3, 29), t.Member("", 9, 32))),
    t.Struct(9, "", 4, (t.Member("i", 1, 0), t.Member("c", 2, 0)), is_union=True),
    t.Ptr(10, "", 8),
    t.Const(11, "", 8),
    t.Volatile(12, "", 11),
    t.Restrict(13, "", 10),
    t.Typedef(14, "bits_t", 12),
    t.TypeTag(15, "user", 8),
    t.TypeTag(16, "noderef", 15, is_attribute=True),
    t.Fwd(17, "later"),
    t.Fwd(18, "later_union", is_union=True),
    t.Enum(19, "hue", 4, signed=False, values=(t.EnumValue("RED", 0), t.EnumValue("MAX", M32))),
    t.Enum(20, "sign", 1, signed=True, values=(t.EnumValue("MINUS", -1), t.EnumValue("PLUS", 1))),
    t.Enum(21, "big", 8, signed=False, values=(t.EnumValue("ALL", 2**64 - 1),), is64=True),
    t.Enum(22, "low", 8, signed=True, values=(t.EnumValue("LOW", -(2**63)),), is64=True),
    t.Enum(23, "empty", 4, signed=False, values=()),
    t.FuncProto(24, "", 1, (t.Param("self", 10), t.Param("", 0))),
    t.Func(25, "act", 24, t.FuncLinkage.GLOBAL),
    t.Func(26, "helper", 24, t.FuncLinkage.STATIC),
    t.Var(27, "counter", 1, t.VarLinkage.GLOBAL_ALLOCATED),
    t.Var(28, "hidden", 7, t.VarLinkage.STATIC),
    t.Datasec(29, ".bss", 32, (t.VarSecinfo(27, 0, 4), t.VarSecinfo(28, 8, 16))),
    t.DeclTag(30, "arg:nonnull", 25, 0),
    t.DeclTag(31, "kfunc", 25, -1, is_attribute=True),
    t.Ptr(32, "", 0),
)  # fmt: skip


def build(types: tuple[t.Type, ...] = SAMPLE, order: str = "<") -> bytes:
    """Encode types whose ids are their positions."""
    builder = BtfBuilder(order)
    builder.add_all(types)
    return builder.build()


def parsed(*types: t.Type, base: Btf | None = None) -> Btf:
    """Encode and parse types, on top of a base if there is one."""
    first_id, first_string = (len(base), base.string_end) if base else (1, 0)
    builder = BtfBuilder(first_id=first_id, first_string=first_string)
    for one in types:
        builder.add(one)
    return Btf.parse(builder.build(), base=base)


def record(
    kind: int, vlen: int = 0, refers: int = 0, *tail: int, name: int = 0, flag: int = 0
) -> list[int]:
    """Give the words of one type record, right or wrong."""
    return [name, flag << 31 | kind << 24 | vlen, refers, *tail]


def raw(
    words: list[int],
    strings: bytes = b"\0",
    *,
    order: str = "<",
    layout: bytes = b"",
    header_tail: bytes = b"",
    **fields: int,
) -> bytes:
    """Make a blob of these words and strings; `fields` replace values of the header.

    `layout` is the content of a layout section, which goes behind the strings; `header_tail` are
    bytes of a header that is longer than any we know.
    """
    types = struct.pack(f"{order}{len(words)}I", *words)
    padded = strings + bytes(-len(strings) % 4) * bool(layout)
    layout_span = (len(types) + len(padded) if layout else 0, len(layout))
    more = struct.pack(order + "II", *layout_span) + header_tail if layout or header_tail else b""
    values = {
        "magic": 0xEB9F,
        "version": 1,
        "flags": 0,
        "hdr_len": 24 + len(more),
        "type_off": 0,
        "type_len": len(types),
        "str_off": len(types),
        "str_len": len(strings),
        **fields,
    }
    header = struct.pack(order + "HBBIIIII", *values.values())
    return header + more + types + padded + layout


Section = tuple[int, int, Sequence[tuple[int, ...]]]  # offset of its name, record count, records


def ext(
    *subsections: tuple[int, Sequence[Section]],
    order: str = "<",
    header_words: int = 6,
    **fields: int,
) -> bytes:
    """Make a .BTF.ext of up to three subsections (record size, [Section]).

    `header_words` is 4 without the relocations, and more than 6 for a header longer than ours.
    """
    bodies = [_subsection(size, sections, order) for size, sections in subsections]
    spans, at = [], 0
    for body in bodies:
        spans += [at, len(body)]
        at += len(body)
    spans = (spans + [0] * header_words)[:header_words]
    hdr_len = 8 + 4 * header_words
    values = {"magic": 0xEB9F, "version": 1, "flags": 0, "hdr_len": hdr_len, **fields}
    header = struct.pack(order + "HBBI", *values.values())
    return header + struct.pack(f"{order}{header_words}I", *spans) + b"".join(bodies)


def _subsection(size: int, sections: Sequence[Section], order: str) -> bytes:
    words = [size]
    for name_off, count, records in sections:
        words += [name_off, count, *(word for one in records for word in one)]
    return struct.pack(f"{order}{len(words)}I", *words)


def section(path: Path, name: str) -> bytes:
    """Read the bytes of a section of an object file."""
    with path.open("rb") as file:
        found = ELFFile(file).get_section_by_name(name)
        assert found is not None, f"{path} has no section {name}"
        return bytes(found.data())


def objects() -> list[Path]:
    """List all compiled objects of the test data that have type information."""
    found = sorted(DATA.rglob("*.o"))
    assert found, "no compiled objects in tests/data"
    return [path for path in found if b".BTF.ext\0" in path.read_bytes()]
