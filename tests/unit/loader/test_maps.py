from __future__ import annotations

import errno
import os
from dataclasses import replace
from typing import Any

import pytest

from bpfctl.elf.spec import MapSpec
from bpfctl.errors import NotSupportedError, SyscallError
from bpfctl.kernel.bpf import replaced
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.linux.cpus import possible_cpus
from bpfctl.loader.maps import create_map, effective, fill, ring_size
from tests.fakes.kernel import FakeKernel

COUNTS = MapSpec("counts", MapType.HASH, 4, 8, 16, key_type_id=1, value_type_id=2)
DATA = MapSpec("x.rodata", MapType.ARRAY, 4, 4, 1, section=".rodata", contents=b"\1\2\0\0")


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        pytest.param(1, 4096, id="less than a page"),
        pytest.param(4096, 4096, id="a page"),
        pytest.param(4097, 8192, id="more than a page"),
        pytest.param(3 * 4096, 4 * 4096, id="no power of two"),
        pytest.param(1 << 24, 1 << 24, id="large"),
        pytest.param(0, 0, id="nothing, for the kernel to refuse"),
    ],
)
def test_ring_sizes(wanted: int, given: int) -> None:
    assert ring_size(wanted, 4096) == given


@pytest.mark.parametrize("kind", [MapType.STACK_TRACE, MapType.QUEUE, MapType.CPUMAP])
def test_maps_without_types(kind: MapType) -> None:
    spec = effective(replace(COUNTS, type=kind))
    assert (spec.key_type_id, spec.value_type_id) == (0, 0)


@pytest.mark.parametrize(
    ("spec", "ids"),
    [
        pytest.param(replace(COUNTS, key_type_id=0), (0, 0), id="key by its size alone"),
        pytest.param(replace(COUNTS, value_type_id=0), (0, 0), id="value by its size alone"),
        pytest.param(replace(DATA, value_type_id=3), (0, 3), id="data section"),
        pytest.param(
            MapSpec("bloom", MapType.BLOOM_FILTER, 0, 8, 1, value_type_id=2), (0, 2), id="no key"
        ),
    ],
)
def test_half_typed_maps(spec: MapSpec, ids: tuple[int, int]) -> None:
    made = effective(spec)
    assert (made.key_type_id, made.value_type_id) == ids


def test_a_numa_node_is_a_flag_too() -> None:
    """The kernel shows it, so that a pinned map would seem unlike its definition without."""
    assert effective(replace(COUNTS, flags=1, numa_node=0)).flags == 0b101


def test_an_ordinary_map_stays_as_it_is() -> None:
    assert effective(COUNTS) is COUNTS


def test_a_perf_event_array_gets_a_slot_for_each_cpu() -> None:
    spec = MapSpec("events", MapType.PERF_EVENT_ARRAY, 4, 4, 0)
    assert effective(spec).max_entries == possible_cpus()
    assert effective(replace(spec, max_entries=3)).max_entries == 3


def some_fd() -> Fd:
    return Fd(os.open(os.devnull, os.O_RDONLY))


class Kernel:
    """Remembers what was asked for; refuses one command."""

    def __init__(self, refused: Cmd | None = None) -> None:
        self.refused = refused
        self.created: dict[str, Any] = {}
        self.stored: list[bytes] = []
        self.frozen = 0

    def __call__(self, cmd: int, union: Any, size: int) -> int:
        if cmd == self.refused:
            return -errno.EINVAL
        if cmd == Cmd.MAP_CREATE:
            names = ("map_type", "btf_fd", "btf_key_type_id", "btf_value_type_id")
            self.created = {name: int(getattr(union, name)) for name in names}
            return os.open(os.devnull, os.O_RDONLY)
        if cmd == Cmd.MAP_UPDATE_ELEM:
            self.stored.append(bytes(ffi.buffer(ffi.cast("char *", int(union.value)), 4)))
        if cmd == Cmd.MAP_FREEZE:
            self.frozen += 1
        return 0


@pytest.mark.parametrize(
    ("spec", "btf_fd", "ids"),
    [
        pytest.param(COUNTS, 7, (7, 1, 2), id="typed"),
        pytest.param(COUNTS, 0, (0, 0, 0), id="object without types"),
        pytest.param(
            replace(COUNTS, key_type_id=0, value_type_id=0), 7, (0, 0, 0), id="map without types"
        ),
    ],
)
def test_types_go_along_only_with_their_descriptor(
    spec: MapSpec, btf_fd: int, ids: tuple[int, int, int]
) -> None:
    kernel = Kernel()
    with replaced(kernel):
        create_map(spec, btf_fd).close()
    created = kernel.created
    assert (
        created["btf_fd"],
        created["btf_key_type_id"],
        created["btf_value_type_id"],
    ) == ids


def test_a_kernel_that_refuses_the_types_takes_the_map_without() -> None:
    """Linux 5.10 wants a section with variables as the type of a data map's value."""
    spec = MapSpec("x.rodata", MapType.ARRAY, 4, 12, 1, value_type_id=7)
    kernel = FakeKernel()
    with kernel.on(Cmd.MAP_CREATE, -errno.EINVAL, kernel.new_fd):
        create_map(spec, 5).close()
    asked = [(call.attr.btf_fd, call.attr.btf_value_type_id) for call in kernel.calls]
    assert asked == [(5, 7), (0, 0)]


@pytest.mark.parametrize(
    ("section", "warnings"),
    [(".rodata", []), (None, ["the kernel refuses the types of map x (EINVAL): it goes without"])],
    ids=["a section", "a map"],
)
def test_a_map_that_goes_without_its_types_is_told_of(
    section: str | None, warnings: list[str]
) -> None:
    spec = MapSpec("x", MapType.ARRAY, 4, 12, 1, value_type_id=7, section=section)
    kernel, told = FakeKernel(), list[str]()
    with kernel.on(Cmd.MAP_CREATE, -errno.EINVAL, kernel.new_fd):
        create_map(spec, 5, warnings=told).close()
    assert told == warnings


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EPERM])
def test_a_map_that_is_refused_either_way(number: int) -> None:
    spec = MapSpec("x", MapType.ARRAY, 4, 12, 0, value_type_id=7)
    kernel = FakeKernel().on(Cmd.MAP_CREATE, -number)
    with kernel, pytest.raises(SyscallError) as caught:
        create_map(spec, 5)
    assert caught.value.errno == number
    assert len(kernel.calls) == (2 if number == errno.EINVAL else 1)


def test_a_map_of_maps_without_inner_map_is_explained() -> None:
    spec = MapSpec("outer", MapType.HASH_OF_MAPS, 4, 4, 2)
    with FakeKernel().on(Cmd.MAP_CREATE, -errno.EINVAL), pytest.raises(SyscallError) as caught:
        create_map(spec, 0)
    assert caught.value.code == "map-without-inner"
    assert "does not tell of which" in caught.value.message


def test_the_owner_of_an_exclusive_map_goes_along() -> None:
    kernel = FakeKernel()
    with kernel.on(Cmd.MAP_CREATE, kernel.new_fd), create_map(COUNTS, 5, b"x" * 32):
        assert kernel.calls[0].attr.excl_prog_hash_size == 32


def test_a_kernel_without_exclusive_maps() -> None:
    with FakeKernel().on(Cmd.MAP_CREATE, -errno.E2BIG), pytest.raises(NotSupportedError) as caught:
        create_map(COUNTS, 5, b"x" * 32)
    assert (caught.value.feature, caught.value.since) == ("exclusive maps", "6.18")


def test_an_inner_map_is_made_to_show_what_inner_maps_look_like() -> None:
    inner = MapSpec("outer.inner", MapType.RINGBUF, 0, 0, 5000)
    spec = effective(MapSpec("outer", MapType.ARRAY_OF_MAPS, 4, 4, 2, inner=inner))
    kernel = FakeKernel()
    with kernel.on(Cmd.MAP_CREATE, kernel.new_fd), create_map(spec, 5):
        first, second = (call.attr for call in kernel.calls)
    assert (first.map_type, first.max_entries, first.inner_map_fd) == (MapType.RINGBUF, 8192, 0)
    assert (second.map_type, second.max_entries) == (MapType.ARRAY_OF_MAPS, 2)
    assert second.inner_map_fd > 0


@pytest.mark.parametrize(
    ("spec", "stored", "frozen"),
    [
        pytest.param(DATA, [b"\1\2\0\0"], 0, id="data"),
        pytest.param(replace(DATA, read_only=True), [b"\1\2\0\0"], 1, id="read-only"),
        pytest.param(replace(DATA, contents=b"\3"), [b"\3\0\0\0"], 0, id="shorter than its map"),
        pytest.param(replace(DATA, contents=bytes(4)), [], 0, id="zeroes"),
        pytest.param(replace(DATA, contents=None), [], 0, id="bss"),
        pytest.param(COUNTS, [], 0, id="no data"),
    ],
)
def test_contents(spec: MapSpec, stored: list[bytes], frozen: int) -> None:
    kernel = Kernel()
    with replaced(kernel), some_fd() as fd:
        fill(spec, fd)
    assert (kernel.stored, kernel.frozen) == (stored, frozen)


def test_a_map_that_cannot_be_frozen_is_named() -> None:
    refusing = Kernel(Cmd.MAP_FREEZE)
    with replaced(refusing), some_fd() as fd, pytest.raises(SyscallError) as raised:
        fill(replace(DATA, read_only=True), fd)
    assert raised.value.subject == "x.rodata"
