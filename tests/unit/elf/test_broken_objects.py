"""Objects that are broken in one way each: the error says which."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf import elf_file, reader
from bpfctl.elf.reader import parse_object, read_object
from bpfctl.elf.spec import Reloc, RelocKind
from bpfctl.errors import BtfError, ObjectFileError, RelocationError
from tests.builders import elf
from tests.builders.elf import ElfBuilder

if TYPE_CHECKING:
    from pathlib import Path

LD_IMM64 = bytes.fromhex("1801000000000000 0000000000000000")
CALL = bytes.fromhex("85100000ffffffff")
EXIT = bytes.fromhex("9500000000000000")


def message_of(data: bytes) -> str:
    with pytest.raises(ObjectFileError) as caught:
        parse_object(data)
    return caught.value.message


def patched(at: int, new: bytes) -> bytes:
    """A good object with some bytes of its ELF header replaced."""
    data = bytearray(good().build())
    data[at : at + len(new)] = new
    return bytes(data)


def good() -> ElfBuilder:
    builder = ElfBuilder()
    builder.function("pass", "xdp")
    return builder


def test_the_smallest_object() -> None:
    spec = parse_object(good().build(), "dir/small.bpf.o")
    assert [one.name for one in spec.programs] == ["pass"]
    assert spec.functions["xdp:pass"].code == elf.EXIT
    assert (spec.license, spec.maps, spec.btf) == ("", (), None)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "is no ELF file", id="empty"),
        pytest.param(b"#!/bin/sh\n", "is no ELF file", id="script"),
        pytest.param(b"\x7fELF\x02\x01\x01", "ends inside its ELF header", id="cut-header"),
        pytest.param(patched(4, b"\1"), "is no 64-bit ELF file", id="32-bit"),
        pytest.param(
            patched(5, b"\2"),
            "is big-endian; only little-endian objects are supported",
            id="big-endian",
        ),
        pytest.param(patched(5, b"\3"), "has an unknown byte order", id="no-order"),
        pytest.param(patched(16, b"\2\0"), "is an executable, no object file", id="executable"),
        pytest.param(patched(16, b"\3\0"), "is a shared library, no object file", id="library"),
        pytest.param(
            patched(16, b"\x99\x99"), "is an ELF file of type 39321, no object file", id="type"
        ),
        pytest.param(
            patched(18, b"\x3e\0"), "is an object for machine X86_64, not for BPF", id="x86"
        ),
        pytest.param(
            patched(18, b"\x99\x99"), "is an object for machine 39321, not for BPF", id="machine"
        ),
        pytest.param(patched(60, b"\0\0"), "has no section headers", id="no-sections"),
        pytest.param(patched(58, b"\x28\0"), "has no section headers", id="header-size"),
        pytest.param(
            patched(60, b"\xff\xff"), "has 65535 sections, more than 8192", id="many-sections"
        ),
        pytest.param(patched(40, b"\xff" * 8), "ends before its section headers", id="far-headers"),
        pytest.param(
            patched(62, b"\x09\0"), "has no section with the names of sections", id="no-names"
        ),
    ],
)
def test_broken_headers(data: bytes, message: str) -> None:
    assert message_of(data) == message


def test_machine_none_is_accepted() -> None:
    assert parse_object(patched(18, b"\0\0")).programs


def test_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reader, "MAX_FILE_BYTES", 64)
    path = tmp_path / "a.o"
    path.write_bytes(good().build())
    with pytest.raises(ObjectFileError, match="larger than"):
        read_object(str(path))


@pytest.mark.parametrize("keep", range(0, 64 * 5, 7))
def test_a_cut_file(keep: int) -> None:
    data = good().build()
    assert message_of(data[: len(data) - 1 - keep])


def test_sections_outside_of_the_file() -> None:
    builder = good()
    builder.section(".data", b"1234", size=1 << 40)
    assert "ends inside section 2" in message_of(builder.build())


def test_sections_that_overlap() -> None:
    builder = good()
    builder.section(".data", b"1234", size=64 * 7)
    builder.section(".data.more", b"1234", size=64 * 6)
    assert message_of(builder.build()) == "has sections that overlap"


def test_compressed_sections() -> None:
    builder = good()
    builder.section(".data", b"1234", flags=0x800)
    assert "compressed section 2" in message_of(builder.build())


def test_a_huge_bss_is_refused_without_being_made() -> None:
    builder = good()
    builder.section(".bss", type=elf.NOBITS, size=1 << 60)
    assert message_of(builder.build()) == f'section ".bss" is {1 << 60} bytes large'


def test_two_symbol_tables() -> None:
    builder = good()
    builder.section(".symtab2", bytes(24), type=elf.SYMTAB)
    assert message_of(builder.build()) == "has 2 symbol tables"


def test_a_symbol_without_a_name() -> None:
    data = bytearray(good().build())
    at = data.rindex(struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0, 16))
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert "has symbol 1 with a name outside of the strings" in message_of(bytes(data))


@pytest.mark.parametrize(
    ("value", "size", "problem"),
    [
        (0, 24, "ends behind its section"),
        (8, 16, "ends behind its section"),
        (1 << 63, 8, "ends behind its section"),
        (16, 0, "is empty"),
        (4, 8, "is no whole number of instructions"),
        (0, 12, "is no whole number of instructions"),
    ],
)
def test_functions_that_do_not_fit(value: int, size: int, problem: str) -> None:
    builder = ElfBuilder()
    number = builder.section("xdp", elf.EXIT, flags=elf.ALLOC | elf.EXEC)
    builder.symbol("odd", number, value, size, type=elf.FUNC)
    assert message_of(builder.build()) == f'section "xdp" has function odd, which {problem}'


def test_functions_that_overlap() -> None:
    builder = ElfBuilder()
    number = builder.section("xdp", elf.EXIT, flags=elf.ALLOC | elf.EXEC)
    builder.symbol("one", number, 0, 16, type=elf.FUNC)
    builder.symbol("two", number, 8, 8, type=elf.FUNC)
    message = 'section "xdp" has function one, which overlaps the next one'
    assert message_of(builder.build()) == message


def test_code_without_a_function() -> None:
    builder = ElfBuilder()
    builder.section("xdp", elf.EXIT, flags=elf.ALLOC | elf.EXEC)
    assert message_of(builder.build()) == 'section "xdp" has code and no function'


def test_sizes_from_the_next_symbol() -> None:
    builder = ElfBuilder()
    number = builder.section("xdp", elf.EXIT, flags=elf.ALLOC | elf.EXEC)
    builder.symbol("one", number, 0, 0, type=elf.FUNC)
    builder.symbol("two", number, 8, 0, type=elf.FUNC)
    functions = parse_object(builder.build()).functions
    assert {key: len(one.code) for key, one in functions.items()} == {"xdp:one": 8, "xdp:two": 8}


def test_static_functions_of_one_name() -> None:
    builder = good()
    number = builder.section(".text", elf.EXIT, flags=elf.ALLOC | elf.EXEC)
    builder.symbol("same", number, 0, 8, type=elf.FUNC, bind=elf.LOCAL)
    builder.symbol("same", number, 8, 8, type=elf.FUNC, bind=elf.LOCAL)
    assert list(parse_object(builder.build()).functions) == [
        "xdp:pass",
        ".text:same",
        ".text:same@8",
    ]


def test_code_sections_of_one_name() -> None:
    builder = good()
    builder.function("other", "xdp")
    assert message_of(builder.build()) == 'section "xdp" occurs twice'


def test_data_sections_of_one_name() -> None:
    builder = good()
    builder.section(".data", b"1")
    builder.section(".data", b"2")
    assert message_of(builder.build()) == 'section ".data" occurs twice'


def test_a_version_of_odd_length() -> None:
    builder = good()
    builder.section("version", b"\1\2\3")
    assert message_of(builder.build()) == 'section "version" is 3 bytes long instead of 4'


def test_license_and_version() -> None:
    builder = good()
    builder.section("version", b"\1\2\3\4")
    builder.section("license", b"GPL\0and more")
    spec = parse_object(builder.build())
    assert (spec.license, spec.kernel_version) == ("GPL", 0x04030201)


# --- relocations


def with_code(code: bytes) -> tuple[ElfBuilder, int]:
    builder = ElfBuilder()
    return builder, builder.function("prog", "xdp", code)


def reloc_error(builder: ElfBuilder) -> RelocationError:
    with pytest.raises(RelocationError) as caught:
        parse_object(builder.build(), "a.o")
    return caught.value


def test_an_address_outside_of_its_section() -> None:
    builder, code = with_code(LD_IMM64 + EXIT)
    data = builder.section(".data", b"12345678")
    builder.relocation(code, 0, builder.symbol("x", data, 8))
    err = reloc_error(builder)
    assert str(err) == "a.o: program prog: instruction 0 has a reference to byte 8 of 8 (x)"
    assert (err.insn_index, err.symbol, err.section, err.offset) == (0, "x", "xdp", 0)


def test_an_address_with_a_negative_addend() -> None:
    code = bytearray(LD_IMM64 + EXIT)
    code[4:8] = struct.pack("<i", -4)
    builder, number = with_code(bytes(code))
    data = builder.section(".data", b"12345678")
    builder.relocation(number, 0, builder.symbol("x", data, 8))
    spec = parse_object(builder.build())
    assert spec.functions["xdp:prog"].relocs == (Reloc(0, RelocKind.DATA, ".data", 4),)


@pytest.mark.parametrize(
    ("code", "value", "what"),
    [
        (CALL + EXIT, 8, "to something that is no function"),
        (LD_IMM64 + EXIT, 8, 'into section ".text", which is no data, map or start of a function'),
        (EXIT, 0, "from an instruction that cannot hold one"),
        (LD_IMM64[:8], 0, "from an instruction that cannot hold one"),
    ],
    ids=["call-into-a-function", "address-into-a-function", "exit", "half-of-ld-imm64"],
)
def test_references_that_make_no_sense(code: bytes, value: int, what: str) -> None:
    builder, number = with_code(code)
    text = builder.function("callee", ".text", elf.EXIT, bind=elf.LOCAL)
    builder.relocation(number, 0, builder.symbol("into", text, value))
    assert reloc_error(builder).message == f"instruction 0 has a reference {what} (into)"


@pytest.mark.parametrize(
    ("section", "what"),
    [(0xFFF1, "to something in no section"), (0x7777, "to something in no section")],
    ids=["absolute", "no-such-section"],
)
def test_references_to_no_section(section: int, what: str) -> None:
    builder, number = with_code(LD_IMM64 + EXIT)
    builder.relocation(number, 0, builder.symbol("far", section, 0))
    assert reloc_error(builder).message == f"instruction 0 has a reference {what} (far)"


def test_a_reference_to_no_symbol() -> None:
    builder, number = with_code(LD_IMM64 + EXIT)
    builder.relocation(number, 0, 99)
    assert message_of(builder.build()) == 'section "xdp" refers to symbol 99, but there are 2'


@pytest.mark.parametrize("offset", [4, 24, 1 << 63], ids=["inside", "behind", "far"])
def test_a_relocation_at_no_instruction(offset: int) -> None:
    builder, number = with_code(LD_IMM64 + EXIT)
    builder.relocation(number, offset, builder.symbol("x", number, 0))
    message = 'section "xdp" has a relocation outside of its instructions'
    assert message_of(builder.build()) == message


def test_code_of_no_function_refers_to_nothing() -> None:
    builder = ElfBuilder()
    number = builder.section("xdp", EXIT + LD_IMM64 + EXIT, flags=elf.ALLOC | elf.EXEC)
    builder.symbol("prog", number, 0, size=len(EXIT), type=elf.FUNC)
    builder.relocation(number, len(EXIT), builder.symbol("x", 0x7777, 0))
    assert parse_object(builder.build()).functions["xdp:prog"].relocs == ()


def test_relocations_with_addends() -> None:
    builder, number = with_code(LD_IMM64 + EXIT)
    builder.section(".relaxdp", bytes(24), type=elf.RELA, info=number)
    message = 'section ".relaxdp" has relocations with addends, which BPF has not'
    assert message_of(builder.build()) == message


def test_half_a_relocation() -> None:
    builder, number = with_code(LD_IMM64 + EXIT)
    builder.section(".relxdp", bytes(20), type=elf.REL, info=number)
    assert "is not a whole number of relocations" in message_of(builder.build())


def test_a_plain_call_into_nothing() -> None:
    builder, _ = with_code(bytes.fromhex("8510000005000000") + EXIT)
    message = "instruction 0 has a reference to something that is no function"
    assert reloc_error(builder).message == message


def test_helper_calls_are_no_references() -> None:
    builder, _ = with_code(bytes.fromhex("8500000005000000") + EXIT)
    assert parse_object(builder.build()).functions["xdp:prog"].relocs == ()


# --- types


def test_broken_types() -> None:
    builder = good()
    builder.section(".BTF", b"\x9f\xeb\x01\x00", flags=0)
    with pytest.raises(BtfError) as caught:
        parse_object(builder.build(), "a.o")
    assert caught.value.path == "a.o"


def test_types_of_another_byte_order() -> None:
    builder = good()
    builder.section(".BTF", BtfBuilder(">").build(), flags=0)
    message = 'section ".BTF" is big-endian in a little-endian file'
    assert message_of(builder.build()) == message


def test_maps_without_types() -> None:
    builder = good()
    builder.section(".maps", bytes(8))
    lacks = "the object has no type information (BTF)"
    message = f'section ".maps" has map definitions, but {lacks}'
    assert message_of(builder.build()) == message
    builder.section(".BTF", BtfBuilder().build(), flags=0)
    lacks = "the type information (BTF) does not say which"
    assert message_of(builder.build()) == f'section ".maps" has map definitions, but {lacks}'


def datasec_object(offset: int, *, symbol: str = "x", linkage: int = 1) -> bytes:
    btf = BtfBuilder()
    number = btf.add(t.Int(0, "int", 4, 1, 0, 32))
    variable = btf.add(t.Var(0, "x", number, linkage))
    btf.add(t.Datasec(0, ".data", 0, (t.VarSecinfo(variable, offset, 4),)))
    builder = good()
    data = builder.section(".data", bytes(8))
    builder.symbol(symbol, data, offset, 4)
    builder.section(".BTF", btf.build(), flags=0)
    return builder.build()


def test_variables_and_their_symbols() -> None:
    assert parse_object(datasec_object(4)).maps[0].value_size == 8
    assert message_of(datasec_object(6)) == 'section ".data" has variable x behind its end'
    assert (
        message_of(datasec_object(0, symbol="y")) == 'section ".data" has no symbol for variable x'
    )
    assert message_of(datasec_object(0, linkage=2)) == (
        'section ".data" has x from another file: link them (bpftool gen object)'
    )
    assert parse_object(datasec_object(0, symbol="y", linkage=0)).maps[0].flags == 0


def test_a_symbol_with_an_endless_name() -> None:
    builder = good()
    builder.symbol("x" * elf_file.MAX_NAME_BYTES, 1)
    words = 'section ".symtab" has symbol 2 with a name without an end'
    assert message_of(builder.build()) == words


def test_a_section_with_an_endless_name() -> None:
    builder = good()
    builder.section("x" * elf_file.MAX_NAME_BYTES)
    assert message_of(builder.build()) == "has section 2 without a name"


def test_many_long_names_in_the_same_place() -> None:
    """6,000 symbols of 24 bytes each would become 98 MB of names."""
    builder = good()
    name = "x" * (elf_file.MAX_NAME_BYTES - 1)
    for _ in range(6000):
        builder.symbol(name, 1)
    assert message_of(builder.build()) == 'section ".symtab" has names of more than 64 MiB'
