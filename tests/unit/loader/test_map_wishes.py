from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

import pytest

from bpfctl.elf.spec import MapSpec
from bpfctl.errors import BpfctlError, NotFoundError, SyscallError, UsageError
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.loader.map_wishes import explain_map, open_in_place, with_wishes
from bpfctl.loader.options import LoadOptions
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.select import Selector
from tests.fakes.kernel import FakeKernel
from tests.unit.loader.objects import object_of

COUNTS = MapSpec("counts", MapType.HASH, 4, 8, 0)
DATA = MapSpec("x.data", MapType.ARRAY, 4, 12, 1, section=".data")
OBJECT = object_of(maps=(COUNTS, DATA))
SEVEN = Selector(ObjectKind.MAP, "id", "7")


def test_a_size_somebody_chose() -> None:
    found = with_wishes(OBJECT, LoadOptions(max_entries={"counts": 100}))
    assert found.maps == (replace(COUNTS, max_entries=100), DATA)


def test_maps_go_to_the_device_save_perf_events() -> None:
    events = MapSpec("events", MapType.PERF_EVENT_ARRAY, 4, 4, 0)
    spec = object_of(maps=(COUNTS, events))
    assert with_wishes(spec, LoadOptions(ifindex=7, offload=True)).maps == (
        replace(COUNTS, ifindex=7),
        events,
    )
    assert with_wishes(spec, LoadOptions(ifindex=7)) is spec


@pytest.mark.parametrize(
    ("spec", "number", "code"),
    [
        pytest.param(COUNTS, errno.EINVAL, "map-without-size", id="no size"),
        pytest.param(COUNTS, errno.ENOMEM, "syscall-failed", id="another reason"),
        pytest.param(DATA, errno.EINVAL, "syscall-failed", id="it has a size"),
        pytest.param(
            replace(COUNTS, type=MapType.TASK_STORAGE),
            errno.EINVAL,
            "syscall-failed",
            id="storage has none",
        ),
    ],
)
def test_a_map_without_a_size_is_named(spec: MapSpec, number: int, code: str) -> None:
    error = explain_map(SyscallError(number, "BPF_MAP_CREATE", "create map"), spec)
    assert error.code == code
    assert error.remedy == (
        None if code == "syscall-failed" else "set it: --set-max-entries counts=N"
    )


def test_without_wishes_nothing_changes() -> None:
    assert with_wishes(OBJECT, LoadOptions()) is OBJECT


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        pytest.param(
            LoadOptions(max_entries={"coutns": 1}),
            NotFoundError,
            "x.bpf.o: no map is called coutns",
            id="size of no map",
        ),
        pytest.param(
            LoadOptions(reuse={"coutns": SEVEN}),
            NotFoundError,
            "x.bpf.o: no map is called coutns",
            id="in place of no map",
        ),
        pytest.param(
            LoadOptions(max_entries={"counts": 0}),
            UsageError,
            "map counts: 0 is no size, which is 1 to 4294967295",
            id="no size",
        ),
        pytest.param(
            LoadOptions(max_entries={"counts": 1 << 32}),
            UsageError,
            "map counts: 4294967296 is no size, which is 1 to 4294967295",
            id="too large",
        ),
        pytest.param(
            LoadOptions(max_entries={"x.data": 2}),
            UsageError,
            "map x.data is a data section, whose size is fixed",
            id="data section",
        ),
    ],
)
def test_wishes_that_make_no_sense(
    options: LoadOptions, kind: type[BpfctlError], words: str
) -> None:
    with pytest.raises(kind) as raised:
        with_wishes(OBJECT, options)
    assert str(raised.value) == words


def loaded(**fields: int) -> FakeKernel:
    """A kernel with a map that is like `counts` save for these fields."""

    def fill(union: Any, size: int) -> int:
        del size
        info = ffi.cast("struct bpf_map_info *", union.info.info)
        for name, value in {"type": 1, "key_size": 4, "value_size": 8, **fields}.items():
            setattr(info, name, value)
        return 0

    kernel = FakeKernel()
    return kernel.on(Cmd.MAP_GET_FD_BY_ID, kernel.new_fd).on(Cmd.OBJ_GET_INFO_BY_FD, fill)


def test_a_larger_map_may_stand_in() -> None:
    with loaded(max_entries=1000):
        fd = open_in_place(COUNTS, SEVEN)
    fd.close()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"type": 2}, "its type is array, the object wants hash"),
        ({"key_size": 8}, "its key_size is 8, the object wants 4"),
        ({"value_size": 4}, "its value_size is 4, the object wants 8"),
    ],
)
def test_a_map_of_another_shape_cannot_stand_in(fields: dict[str, int], words: str) -> None:
    with loaded(**fields), pytest.raises(UsageError) as raised:
        open_in_place(COUNTS, SEVEN)
    assert str(raised.value) == f"map id 7 cannot stand in for counts: {words}"
    assert raised.value.code == "map-mismatch"
