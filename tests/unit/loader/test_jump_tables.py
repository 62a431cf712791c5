"""Jump tables: read from the object, made a map of, and put into the code."""

from __future__ import annotations

import errno
import struct
from typing import Any

import pytest

from bpfctl.asm.insn import BPF_PSEUDO_MAP_VALUE, decode
from bpfctl.elf.reader import parse_object
from bpfctl.elf.spec import Reloc, RelocKind
from bpfctl.errors import RelocationError, SyscallError
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.loader.pipeline import load
from tests.builders.elf import EXIT
from tests.builders.jump_table import CHOICES, MAIN, TABLE_LOAD, with_jump_table
from tests.fakes.kernel import FakeKernel, memory

CHOOSER_AT = len(MAIN) // 8  # behind the main function


class Kernel(FakeKernel):
    """Takes everything, and keeps the values of the map and the code of the program."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[int, tuple[int, ...]] = {}
        self.code: bytes = b""
        self.on(Cmd.MAP_CREATE, self.new_fd).on(Cmd.MAP_UPDATE_ELEM, self.update)
        self.on(Cmd.MAP_FREEZE, 0).on(Cmd.PROG_LOAD, self.program)

    def update(self, union: Any, size: int) -> int:
        del size
        (key,) = struct.unpack("<I", memory(union.key, 4))
        self.values[key] = struct.unpack("<IIII", memory(union.value, 16))
        return 0

    def program(self, union: Any, size: int) -> int:
        del size
        self.code = bytes(memory(union.insns, union.insn_cnt * 8))
        return self.fd()


def test_a_table_is_a_reference_of_its_function() -> None:
    spec = parse_object(with_jump_table())
    assert spec.functions[".text:chooser"].relocs == (
        Reloc(TABLE_LOAD, RelocKind.JUMP_TABLE, ".jumptables", 0, 16),
    )
    assert spec.jump_tables == struct.pack("<QQ", *(len(EXIT) + 8 * index for index in CHOICES))


def test_the_map_leads_to_instructions_of_the_linked_program() -> None:
    kernel = Kernel()
    with kernel, load(parse_object(with_jump_table())) as loaded:
        assert list(loaded.maps) == []
    (made,) = (call.attr for call in kernel.calls if call.cmd == Cmd.MAP_CREATE)
    assert (made.map_type, made.key_size, made.value_size, made.max_entries) == (
        MapType.INSN_ARRAY,
        4,
        16,
        2,
    )
    assert kernel.values == {
        number: (CHOOSER_AT + index, 0, 0, 0) for number, index in enumerate(CHOICES)
    }
    order = [call.cmd for call in kernel.calls]
    assert order.index(Cmd.MAP_FREEZE) < order.index(Cmd.PROG_LOAD)
    first, second = decode(kernel.code)[CHOOSER_AT + TABLE_LOAD :][:2]
    assert (first.src, first.imm > 2, second.imm) == (BPF_PSEUDO_MAP_VALUE, True, 0)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(0, id="another function"),
        pytest.param(len(EXIT) + 4, id="half an instruction"),
        pytest.param(1 << 20, id="behind the code"),
        pytest.param(2**64 - 8, id="far away"),
    ],
)
def test_a_table_that_leads_elsewhere(place: int) -> None:
    with Kernel(), pytest.raises(RelocationError) as raised:
        load(parse_object(with_jump_table(len(EXIT) + 8, place), "x.bpf.o"))
    assert raised.value.message == "entry 1 of a jump table leads out of function chooser"
    assert (raised.value.section, raised.value.offset) == (".jumptables", 8)
    assert raised.value.program == "main"


@pytest.mark.parametrize(
    ("start", "size", "table_bytes"),
    [
        pytest.param(4, 8, None, id="odd start"),
        pytest.param(0, 12, None, id="odd size"),
        pytest.param(0, 0, None, id="empty"),
        pytest.param(8, 16, None, id="behind the section"),
        pytest.param(0, 2**63, None, id="huge"),
        pytest.param(0, 16, 8, id="cut"),
    ],
)
def test_symbols_that_are_no_tables(start: int, size: int, table_bytes: int | None) -> None:
    with pytest.raises(RelocationError, match="reference to something that is no jump table"):
        parse_object(with_jump_table(start=start, size=size, table_bytes=table_bytes))


def test_a_kernel_without_such_maps() -> None:
    kernel = FakeKernel().on(Cmd.MAP_CREATE, -errno.EINVAL)
    with kernel, pytest.raises(SyscallError, match="create the map of a jump table") as raised:
        load(parse_object(with_jump_table(), "x.bpf.o"))
    assert (raised.value.errno, raised.value.program) == (errno.EINVAL, "main")
