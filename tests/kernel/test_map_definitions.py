"""Maps of compiled objects on the running kernel: contents, pins, and bpftool as the witness."""

from __future__ import annotations

import hashlib
import resource
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.errors import OutputError, SyscallError, VerifierError
from bpfctl.features.maps import PROBES, probe_map_type
from bpfctl.features.prober import Prober
from bpfctl.kernel.attr import prog_test_run
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.info import map_info, prog_info
from bpfctl.kernel.uapi import MapType
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.objects.map import Map
from tests.kernel import needs
from tests.kernel.test_externs import number, run, variables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bpfctl.loader.loaded import LoadedObject


def items(loaded: LoadedObject, name: str) -> dict[int, int]:
    """The entries of a map as 32-bit numbers."""
    with Map(loaded.maps[name].fd.duplicate()) as one:
        return {number(key): number(value) for key, value in one.items()}


def map_id(loaded: LoadedObject, name: str) -> int:
    return map_info(loaded.maps[name].fd).number("id") or 0


def test_maps_of_maps_and_program_arrays_have_their_contents(data: Path) -> None:
    with load(read_object(str(data / "map_in_map.bpf.o"))) as loaded:
        one, two = map_id(loaded, "one"), map_id(loaded, "two")
        assert items(loaded, "outer") == {0: one, 3: two}
        ids = {name: prog_info(p.fd).number("id") for name, p in loaded.programs.items()}
        assert items(loaded, "jumps") == {0: ids["never"], 1: ids["jumped"]}
        run(loaded, "look_inside")
        found = variables(loaded)
    assert [number(found[name]) for name in ("found", "calls")] == [1, 1]


def test_a_program_left_out_is_in_no_array(data: Path) -> None:
    options = LoadOptions(skip=frozenset({"jumped"}))
    with load(read_object(str(data / "map_in_map.bpf.o")), options) as loaded:
        assert list(loaded.programs) == ["never", "look_inside"]
        assert list(items(loaded, "jumps")) == [0]


def test_static_maps(data: Path) -> None:
    with load(read_object(str(data / "static_maps.bpf.o"))) as loaded:
        expected = {1: map_id(loaded, "second"), 2: map_id(loaded, "hidden")}
        assert {k: v for k, v in items(loaded, "outer").items() if v} == expected
        run(loaded, "use_maps")


def test_maps_of_every_type(data: Path) -> None:
    """Each type that this kernel has is made, with types of key and value; others are refused."""
    spec = read_object(str(data / "map_every.bpf.o"))
    others = {"struct_ops", "insn_array"}  # made of types of the kernel, and of code
    assert {one.name for one in spec.maps} == {name.lower() for name in PROBES} - others
    with Prober() as prober:
        for one in spec.maps:
            alone = replace(spec, maps=(one,))
            if probe_map_type(prober, MapType[one.name.upper()]).available:
                with load(alone) as loaded:
                    info = map_info(loaded.maps[one.name].fd)
                    assert MapType(info.number("type") or 0).name.lower() == one.name
            else:
                with pytest.raises(SyscallError, match=one.name):
                    load(alone)


@pytest.mark.parametrize("name", ["array", "devmap", "devmap_hash", "sockmap"])
def test_locked_memory_is_no_limit(data: Path, name: str) -> None:
    """Before Linux 5.11 maps count against it; those of devices then answer EINVAL, not EPERM."""
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    spec = read_object(str(data / "map_every.bpf.o"))
    alone = replace(spec, maps=tuple(one for one in spec.maps if one.name == name))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, before[1]))
    try:
        with load(alone) as loaded:
            assert list(loaded.maps) == [name]
    finally:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, before)


@pytest.mark.parametrize(
    "name", ["map_kinds", pytest.param("map_kinds_new", marks=needs.CGROUP_STORAGE), "data_address"]
)
def test_bpftool_makes_the_same_maps(
    data: Path, bpffs: Path, bpftool: Callable[..., Any], name: str
) -> None:
    path = str(data / f"{name}.bpf.o")
    bpftool("prog", "loadall", path, str(bpffs / "p"), "pinmaps", str(bpffs / "m"))
    with load(read_object(path)) as loaded:
        loaded.pin_maps(str(bpffs / "ours"))
        for entry in sorted((bpffs / "ours").iterdir()):
            ours, theirs = (
                bpftool("map", "show", "pinned", str(bpffs / folder / entry.name))
                for folder in ("ours", "m")
            )
            same = ("type", "name", "flags", "bytes_key", "bytes_value", "max_entries")
            assert [ours.get(one) for one in same] == [theirs.get(one) for one in same]
            assert ("btf_id" in ours) == ("btf_id" in theirs)


def test_definitions_as_they_were_before_types(data: Path) -> None:
    with load(read_object(str(data / "legacy_maps.bpf.o"))) as loaded:
        info = map_info(loaded.maps["typed"].fd)
        assert [info.number(name) for name in ("key_size", "value_size", "max_entries")] == [
            4,
            8,
            16,
        ]
        assert info.number("btf_value_type_id")
        run(loaded, "use_maps")


def test_definitions_of_tc_are_pinned_where_tc_pins_them(data: Path, bpffs: Path) -> None:
    path = data / "tc_maps.bpf.o"
    options = LoadOptions(bpffs=str(bpffs))
    digest = hashlib.sha1(path.read_bytes()).hexdigest()
    with load(read_object(str(path)), options) as first:
        assert sorted(str(one.relative_to(bpffs)) for one in bpffs.rglob("*/*/*")) == [
            f"tc/{digest}/tc_inner",
            "tc/globals/tc_shared",
        ]
        inner = map_id(first, "tc_inner")
        assert items(first, "tc_outer").get(1) == inner
    with load(read_object(str(path)), options) as second:
        assert [one.name for one in second.maps.values() if one.reused] == ["tc_inner", "tc_shared"]
        assert map_id(second, "tc_inner") == inner


def test_tail_calls_of_tc(data: Path) -> None:
    """Sections "42/0" and "0x2a/3" are slots of the array with id 42."""
    spec = read_object(str(data / "tc_tail_calls.bpf.o"))
    with load(spec) as loaded:
        ids = {name: prog_info(p.fd).number("id") for name, p in loaded.programs.items()}
        assert items(loaded, "jumps") == {0: ids["first"], 3: ids["last"]}
        attr = prog_test_run(loaded.programs["begin"].fd, data_in=bytes(64))
        bpf(attr)
        assert attr.retval == 7


def test_a_failed_load_leaves_no_directory_of_tc(data: Path, bpffs: Path) -> None:
    (bpffs / "tc").mkdir()
    spec = read_object(str(data / "tc_maps.bpf.o"))
    with load(spec, LoadOptions(bpffs=str(bpffs))):
        pass
    kept = sorted(str(one) for one in bpffs.rglob("*"))
    with pytest.raises(RuntimeError), load(spec, LoadOptions(bpffs=str(bpffs))):
        raise RuntimeError
    assert sorted(str(one) for one in bpffs.rglob("*")) == kept


@needs.ARENA
def test_an_arena_begins_with_its_variables(data: Path) -> None:
    with load(read_object(str(data / "arena.bpf.o"))) as loaded:
        run(loaded, "use_arena")
        assert number(variables(loaded)["seen"]) == 42
        run(loaded, "use_arena")
        assert number(variables(loaded)["seen"]) == 43


@needs.EXCLUSIVE
@pytest.mark.parametrize(
    ("name", "exclusive", "loads"),
    [
        ("maps", {"counters": "touch_all"}, True),
        ("maps", {"maps.rodata": "touch_all"}, True),
        ("kconfig", {"kconfig.kconfig": "use_kconfig"}, True),
        ("map_in_map", {"outer": "never"}, False),
    ],
)
def test_only_its_program_may_use_an_exclusive_map(
    data: Path, name: str, exclusive: dict[str, str], loads: bool
) -> None:
    spec, options = read_object(str(data / f"{name}.bpf.o")), LoadOptions(exclusive=exclusive)
    if loads:
        with load(spec, options) as loaded:
            assert loaded.programs
        return
    with pytest.raises(VerifierError) as raised:
        load(spec, options)
    assert "hash doesn't match map's excl_prog_hash" in raised.value.log


@needs.CGROUP_STORAGE
def test_fields_that_the_kernel_manages(data: Path) -> None:
    with load(read_object(str(data / "map_kinds_new.bpf.o"))) as loaded:
        assert list(loaded.programs) == ["use_fields"]
        assert map_info(loaded.maps["filter"].fd).number("map_extra") == 3


@pytest.mark.parametrize("change", [None, "max_entries", "value_size", "flags"])
def test_a_pinned_map_is_compared_field_by_field(
    data: Path, bpffs: Path, change: str | None
) -> None:
    spec = read_object(str(data / "map_kinds.bpf.o"))
    pinned = tuple(
        replace(one, pin_by_name=one.name in ("ring", "devices", "on_node")) for one in spec.maps
    )
    options = LoadOptions(bpffs=str(bpffs))
    with load(replace(spec, maps=pinned), options):
        pass
    changed = tuple(
        replace(one, **{change: getattr(one, change) * 2})
        if change and one.name == "on_node"
        else one
        for one in pinned
    )
    if change is None:
        with load(replace(spec, maps=changed), options) as loaded:
            assert {one.name for one in loaded.maps.values() if one.reused} == {
                "ring",
                "devices",
                "on_node",
            }
        return
    with pytest.raises(OutputError, match="is not like map on_node") as raised:
        load(replace(spec, maps=changed), options)
    assert len(raised.value.evidence) == 1
