from __future__ import annotations

import pytest

from bpfctl.elf.spec import MapSpec, Reloc, RelocKind
from bpfctl.errors import RelocationError
from bpfctl.loader.link_code import LinkedCode
from bpfctl.loader.relocs import referenced_maps, set_map_fds
from tests.unit.loader.objects import EXIT, LD_IMM64

MAPS = (
    MapSpec("counts", 1, 4, 8, 1),
    MapSpec("x.rodata", 2, 4, 16, 1, section=".rodata", read_only=True),
)


def linked(*relocs: tuple[int, Reloc]) -> LinkedCode:
    return LinkedCode(bytearray(EXIT + LD_IMM64 + LD_IMM64), (), relocs)


def test_maps_and_data_get_descriptors() -> None:
    code = linked(
        (1, Reloc(0, RelocKind.MAP, "counts")), (3, Reloc(2, RelocKind.DATA, ".rodata", 12))
    )
    names = referenced_maps(code, MAPS)
    set_map_fds(code, names, {"counts": 5, "x.rodata": 6})
    assert names == {code.relocs[0][1]: "counts", code.relocs[1][1]: "x.rodata"}
    assert code.code == EXIT + bytes(
        [0x18, 0x11, 0, 0, 5, 0, 0, 0] + [0] * 8 + [0x18, 0x21, 0, 0, 6, 0, 0, 0]
        + [0, 0, 0, 0, 12, 0, 0, 0]
    )  # fmt: skip


def test_a_data_section_is_not_found_by_its_map_name() -> None:
    with pytest.raises(RelocationError, match=r"x\.rodata is no map"):
        referenced_maps(linked((1, Reloc(0, RelocKind.DATA, "x.rodata"))), MAPS)


def test_no_such_map() -> None:
    with pytest.raises(RelocationError, match="gone is no map") as raised:
        referenced_maps(linked((3, Reloc(0, RelocKind.MAP, "gone"))), MAPS)
    assert (raised.value.insn_index, raised.value.symbol) == (3, "gone")


def test_externs_are_left_alone() -> None:
    code = linked((2, Reloc(0, RelocKind.EXTERN, "bpf_kfunc")))
    assert referenced_maps(code, MAPS) == {}
    before = bytes(code.code)
    set_map_fds(code, {}, {})
    assert code.code == before


def test_only_ld_imm64_loads_a_map() -> None:
    code = linked((0, Reloc(0, RelocKind.MAP, "counts")))
    with pytest.raises(RelocationError, match="no ld_imm64"):
        set_map_fds(code, referenced_maps(code, MAPS), {"counts": 5})
