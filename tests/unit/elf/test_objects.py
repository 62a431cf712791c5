"""The compiled objects of tests/data, as blueprints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bpfctl.btf import types as t
from bpfctl.elf.reader import parse_object, read_object
from bpfctl.elf.spec import MapSpec, ObjectSpec, RelocKind
from bpfctl.errors import ObjectFileError, PathError, SectionNameError
from bpfctl.kernel.uapi import MapType

DATA = Path(__file__).parents[2] / "data"
DEMO = Path(__file__).parents[3] / "bpfctl" / "data" / "demo.bpf.o"

CALL, DATA_, EXTERN = RelocKind.CALL, RelocKind.DATA, RelocKind.EXTERN
READ_ONLY, MMAPABLE = 0x80, 0x400


def spec(name: str) -> ObjectSpec:
    return read_object(str(DATA / f"{name}.bpf.o"))


def relocs(of: ObjectSpec, key: str) -> list[tuple[int, RelocKind, str, int]]:
    return [(r.insn_index, r.kind, r.target, r.offset) for r in of.functions[key].relocs]


def shape(one: MapSpec) -> tuple[int, int, int, int, int]:
    return (one.type, one.key_size, one.value_size, one.max_entries, one.flags)


def test_the_demo() -> None:
    demo = read_object(str(DEMO))
    assert demo.license == "Dual BSD/GPL"
    assert [(one.name, one.section.text, one.function) for one in demo.programs] == [
        ("on_exec", "raw_tp/sched_process_exec", "raw_tp/sched_process_exec:on_exec"),
        ("dump_task", "iter/task", "iter/task:dump_task"),
    ]
    assert {one.name: shape(one) for one in demo.maps} == {
        "execs": (MapType.HASH, 4, 24, 1024, 0),
        "demo.rodata": (MapType.ARRAY, 4, demo.maps[1].value_size, 1, READ_ONLY),
    }
    assert demo.btf is not None
    value = demo.btf.type(demo.maps[0].value_type_id)
    assert isinstance(value, t.Struct)
    assert [(one.name, one.offset_bits) for one in value.members] == [("count", 0), ("comm", 64)]
    assert (demo.externs, demo.jump_tables, demo.warnings) == ((), b"", ())
    assert demo.kernel_version == 0


def test_reading_twice_gives_the_same() -> None:
    first, second = read_object(str(DEMO)), read_object(str(DEMO))
    assert replace(first, btf=None) == replace(second, btf=None)
    assert first.btf is not None
    assert second.btf is not None
    assert first.btf.data == second.btf.data


def test_subprograms_of_all_linkages() -> None:
    of = spec("subprogs")
    flags = {one.name: (one.is_global, one.is_hidden, one.is_weak) for one in of.functions.values()}
    assert flags == {
        "global_twice": (True, False, False),
        "add_three": (False, False, False),
        "hidden_half": (True, True, False),
        "weak_one": (True, False, True),
        "add_five": (False, False, False),
        "add_up": (False, False, False),
        "caller": (True, False, False),
        "summer": (True, False, False),
    }
    assert [one.name for one in of.programs] == ["caller", "summer"]


def test_calls_by_symbol_by_section_and_without_relocation() -> None:
    of = spec("subprogs")
    assert relocs(of, ".text:global_twice") == [(0, CALL, ".text:add_three", 0)]  # in the insn
    assert relocs(of, ".text:add_five") == [(0, CALL, ".text:add_three", 0)]  # backwards
    assert relocs(of, "raw_tp/sched_process_exec:caller") == [
        (2, CALL, ".text:add_five", 0),  # by the section's symbol
        (5, CALL, ".text:global_twice", 0),
        (9, CALL, ".text:hidden_half", 0),
        (11, CALL, ".text:weak_one", 0),
    ]
    assert relocs(of, "raw_tp/sched_process_exit:summer") == [
        (4, RelocKind.MAP, "numbers", 0),
        (6, RelocKind.FUNC_ADDRESS, ".text:add_up", 0),
        (11, CALL, ".text:global_twice", 0),
    ]


def test_static_functions_beside_programs() -> None:
    of = spec("beside")
    assert [one.name for one in of.programs] == ["neighbour"]
    assert relocs(of, "raw_tp/sched_process_exec:neighbour") == [
        (2, CALL, "raw_tp/sched_process_exec:same_section", 0),
        (5, CALL, "raw_tp/sched_process_exit:other_section", 0),
    ]


def test_info_counts_from_the_functions_start() -> None:
    of = spec("subprogs")
    assert of.btf is not None
    for function in of.functions.values():
        (info,) = function.func_info
        assert info.insn_off == 0
        assert of.btf.name(info.type_id) == function.name
        offsets = [line.insn_off for line in function.line_info]
        assert offsets == sorted(offsets)
        assert offsets[0] == 0
        assert offsets[-1] < len(function.code)
        assert of.btf.string(function.line_info[0].file_name_off) == "subprogs.bpf.c"


def test_core_relocations_go_to_their_function() -> None:
    of = spec("core_fields")
    assert of.btf is not None
    for program in of.programs:
        function = of.functions[program.function]
        assert function.core_relos
        for relo in function.core_relos:
            assert relo.insn_off < len(function.code)
    assert len({function.section_offset for function in of.functions.values()}) == 4


def test_data_sections_become_maps() -> None:
    of = spec("globals")
    assert [(one.name, one.section, *shape(one)[2:], one.read_only) for one in of.maps] == [
        ("globals.rodata", ".rodata", 20, 1, READ_ONLY | MMAPABLE, True),
        (".rodata.tuning", ".rodata.tuning", 8, 1, READ_ONLY | MMAPABLE, True),
        ("globals.data", ".data", 12, 1, MMAPABLE, False),
        (".data.special", ".data.special", 4, 1, MMAPABLE, False),
        ("globals.bss", ".bss", 80, 1, MMAPABLE, False),
    ]
    contents = {one.section: one.contents for one in of.maps}
    assert contents[".bss"] is None
    assert contents[".rodata"] == bytes.fromhex("2a000000 68656c6c6f000000 0100020003000500")
    assert contents[".data.special"] == (11).to_bytes(4, "little")


def test_only_static_data_is_not_mapped() -> None:
    (rodata,) = spec("iter_task").maps
    assert (rodata.name, rodata.flags) == ("iter_tas.rodata", READ_ONLY)


def test_hidden_data_is_not_mapped() -> None:
    of = spec("hidden_data")
    assert {one.section: one.flags for one in of.maps} == {".data.mine": 0, ".data.both": MMAPABLE}
    assert of.btf is not None
    variables = (of.btf.type(number) for number in range(1, len(of.btf)))
    linkages = {one.name: one.linkage for one in variables if isinstance(one, t.Var)}
    assert linkages == {
        "_license": t.VarLinkage.GLOBAL_ALLOCATED,
        "mine": t.VarLinkage.STATIC,
        "ours": t.VarLinkage.STATIC,
        "yours": t.VarLinkage.GLOBAL_ALLOCATED,
    }


def test_references_to_data_have_their_offset() -> None:
    of = spec("globals")
    seen = {(r.target, r.offset) for r in of.functions["raw_tp:use_globals"].relocs}
    assert seen == {
        *((".bss", 0), (".bss", 8), (".bss", 16), (".data", 0), (".data", 8)),
        *((".rodata", 0), (".rodata", 4), (".rodata", 12)),
        *((".rodata.tuning", 0), (".data.special", 0)),
    }


def test_datasecs_are_completed() -> None:
    of = spec("globals")
    assert of.btf is not None
    for one in of.maps:
        datasec = of.btf.type(one.value_type_id)
        assert isinstance(datasec, t.Datasec)
        assert (datasec.name, datasec.size_bytes) == (one.section, one.value_size)
    bss = of.btf.type(of.maps[-1].value_type_id)
    assert isinstance(bss, t.Datasec)
    placed = [(of.btf.name(v.type_id), v.offset, v.size_bytes) for v in bss.vars]
    assert placed == [("calls", 0, 4), ("total", 8, 8), ("blob", 16, 64)]


def test_maps_of_all_kinds() -> None:
    of = spec("maps")
    assert {one.name: shape(one) for one in of.maps if not one.section} == {
        "counters": (MapType.ARRAY, 4, 8, 4, 0),
        "per_cpu": (MapType.PERCPU_ARRAY, 4, 8, 2, 0),
        "recent": (MapType.LRU_HASH, 4, 8, 64, 0),
        "events": (MapType.RINGBUF, 0, 0, 4096, 0),
        "routes": (MapType.LPM_TRIE, 8, 4, 16, 1),
        "records": (MapType.HASH, 4, 48, 128, 0),
        "a_map_with_a_rather_long_name": (MapType.HASH, 4, 12, 8, 0),
    }
    typed = {one.name for one in of.maps if one.key_type_id and one.value_type_id}
    assert typed == {"counters", "per_cpu", "recent", "routes", "records"}


def test_pinning_by_name() -> None:
    (shared,) = spec("pinned_map").maps
    assert shared.pin_by_name


def test_several_programs_a_section_and_optional_ones() -> None:
    of = spec("sections")
    assert [(one.name, one.section.text, one.section.autoload) for one in of.programs] == [
        ("first", "raw_tp/sched_process_exec", True),
        ("second", "raw_tp/sched_process_exec", True),
        ("not_by_itself", "?raw_tp/sched_process_exit", False),
    ]


def test_legacy_names_are_warned_of() -> None:
    (warning,) = spec("legacy").warnings
    assert 'section "classifier"' in warning


@pytest.mark.parametrize(
    ("name", "section", "programs", "suggestions"),
    [
        ("bad_userblah", "userblah", "trigger_me", ["user", "user/blah"]),
        ("bad_xdpomg", "xdpomg", "misnamed", ["xdp", "xdp/omg"]),
    ],
)
def test_bad_names(name: str, section: str, programs: str, suggestions: list[str]) -> None:
    with pytest.raises(SectionNameError) as caught:
        spec(name)
    assert caught.value.section == section
    assert caught.value.suggestions == suggestions
    assert caught.value.evidence[0] == f"programs in it: {programs}"
    assert str(caught.value).endswith(f'{name}.bpf.o: section "{section}" is no program section')


def test_externs_have_kinds() -> None:
    by_name = {one.name: one for one in spec("ksyms").externs}
    assert {name: (one.kind, one.is_weak) for name, one in by_name.items()} == {
        "bpf_no_such_function": ("kfunc", True),
        "bpf_task_from_pid___flavor": ("kfunc", False),
        "bpf_task_release": ("kfunc", True),
        "no_such_symbol": ("ksym", True),
        "no_such_variable": ("ksym", True),
        "schedule": ("ksym", False),
    }
    targets = [r.target for r in spec("ksyms").functions["syscall:use_ksyms"].relocs]
    assert {name for name in targets if name in by_name} == set(by_name)


@pytest.mark.parametrize("path", sorted(DATA.glob("*.bpf.o")), ids=lambda path: path.name)
def test_all_our_objects_can_be_read(path: Path) -> None:
    try:
        assert read_object(str(path)).path == str(path)
    except SectionNameError:
        assert path.name.startswith("bad_")


def test_inner_maps_and_values() -> None:
    by_name = {one.name: one for one in spec("map_in_map").maps}
    outer, jumps = by_name["outer"], by_name["jumps"]
    assert shape(outer) == (MapType.HASH_OF_MAPS, 4, 4, 4, 0)
    assert outer.inner is not None
    assert shape(outer.inner) == (MapType.ARRAY, 4, 8, 2, 0)
    assert outer.values == ((0, "one"), (3, "two"))
    assert (jumps.inner, jumps.values) == (None, ((0, "never"), (1, "jumped")))
    assert shape(jumps) == (MapType.PROG_ARRAY, 4, 4, 2, 0)


def test_static_maps_are_told_apart_by_their_places() -> None:
    of = spec("static_maps")
    assert {one.name: one.values for one in of.maps} == {
        "first": (),
        "second": (),
        "hidden": (),
        "outer": ((1, "second"), (2, "hidden")),
    }
    assert [r.target for r in of.functions["raw_tp:use_maps"].relocs] == [
        "first",
        "second",
        "hidden",
        "outer",
    ]


def test_an_arena_has_its_variables() -> None:
    of = spec("arena")
    (arena,) = (one for one in of.maps if one.type == MapType.ARENA)
    assert (arena.section, arena.contents) == (".addr_space.1", b"*\0\0\0" + bytes(4))
    where = [(r.kind, r.target, r.offset) for r in of.functions["syscall:use_arena"].relocs]
    assert where == [
        (RelocKind.DATA, ".addr_space.1", 0),
        (RelocKind.MAP, "arena", 0),
        (RelocKind.DATA, ".bss", 0),
    ]


def test_addresses_in_data_are_warned_of() -> None:
    assert spec("data_address").warnings == (
        "section .data holds addresses of variables or functions; they stay 0",
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="no such file"):
        read_object(str(tmp_path / "absent.o"))
    with pytest.raises(PathError, match="no regular file"):
        read_object(str(tmp_path))
    with pytest.raises(PathError, match="no regular file"):
        read_object("/dev/zero")


def test_the_path_is_in_every_error(tmp_path: Path) -> None:
    path = tmp_path / "text.o"
    path.write_text("hello")
    with pytest.raises(ObjectFileError) as caught:
        read_object(str(path))
    assert str(caught.value) == f"{path}: is no ELF file"
    with pytest.raises(ObjectFileError, match=r"^is no ELF file$"):
        parse_object(b"")
