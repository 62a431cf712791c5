"""Programs, from what the kernel fills in to JSON."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf.decode import Btf
from bpfctl.errors import BtfError
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.layout import field_end
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.uapi import Cmd, ProgType
from bpfctl.objects import btf as objects_btf
from bpfctl.objects import prog as module
from bpfctl.objects.prog import prog_info, programs
from tests.fakes.kernel import FakeKernel, memory
from tests.unit.objects.records import prog

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = "fifteen_letters_and_more"


@pytest.fixture
def fd() -> Iterator[Fd]:
    with Fd(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)) as opened:
        yield opened


def told(*, through: str = "", map_ids: tuple[int, ...] = (), **fields: Any) -> Any:
    """Return a kernel that knows the fields up to `through`, and all without it."""

    def fill(union: Any, size: int) -> int:
        del size
        struct = ffi.cast("struct bpf_prog_info *", union.info.info)
        if struct.map_ids:
            for at, number in enumerate(map_ids):
                memory(struct.map_ids + 4 * at, 4)[:] = number.to_bytes(4, "little")
        if struct.func_info:
            memory(struct.func_info, 8)[:] = bytes([0, 0, 0, 0, 7, 0, 0, 0])  # type 7
        struct.nr_map_ids = len(map_ids)
        for name, value in fields.items():
            setattr(struct, name, value)
        kind = "struct bpf_prog_info"
        union.info.info_len = field_end(kind, through) if through else ffi.sizeof(kind)
        return 0

    return fill


def test_all_that_a_kernel_tells(fd: Fd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "own_fdinfo", lambda _: {"memlock": "4096"})
    monkeypatch.setattr(module, "_wall_clock", lambda ns: 1_700_000_000 + ns)
    answer = told(
        type=ProgType.XDP, id=5, name=b"pass", tag=bytes(range(8)), gpl_compatible=1,
        load_time=7, created_by_uid=1000, xlated_prog_len=16, jited_prog_len=40, btf_id=3,
        run_time_ns=100, run_cnt=2, recursion_misses=1, verified_insns=2, attach_btf_obj_id=1,
        attach_btf_id=9, map_ids=(4, 6),
    )  # fmt: skip
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, answer):
        found = prog_info(fd)
    assert found.to_json() == {
        "id": 5,
        "type": "xdp",
        "name": "pass",
        "tag": "0001020304050607",
        "gpl_compatible": True,
        "run_time_ns": 100,
        "run_cnt": 2,
        "recursion_misses": 1,
        "loaded_at": 1_700_000_007,
        "uid": 1000,
        "bytes_xlated": 16,
        "jited": True,
        "bytes_jited": 40,
        "bytes_memlock": 4096,
        "map_ids": [4, 6],
        "btf_id": 3,
        "verified_insns": 2,
        "attach_btf_obj_id": 1,
        "attach_btf_id": 9,
    }


def test_what_an_old_kernel_does_not_know_is_none(fd: Fd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "own_fdinfo", lambda _: {"memlock": "?"})
    answer = told(type=4711, id=5, xlated_prog_len=16, through="xlated_prog_insns")
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, answer):
        found = prog_info(fd)
    expected = prog(
        4711, id=5, name="", kernel_name="", tag="0000000000000000", gpl_compatible=False
    )
    assert found == expected
    assert found.to_json() == {
        "id": 5,
        "type": 4711,
        "tag": "0000000000000000",
        "gpl_compatible": False,
        "bytes_xlated": 16,
        "jited": False,
    }


class Names(Btf):
    """Type information of one function, without bytes."""

    def __init__(self, name: str | None) -> None:
        self.text = name

    def name(self, type_id: int) -> str:
        if self.text is None:
            raise BtfError("broken")
        return f"{self.text}" if type_id == 7 else "?"


@pytest.mark.parametrize(
    ("kernel_name", "function", "name"),
    [
        pytest.param(LONG[:15], LONG, LONG, id="cut"),
        pytest.param(LONG[:15], "another_function", LONG[:15], id="another name"),
        pytest.param(LONG[:15], None, LONG[:15], id="broken type information"),
        pytest.param("short", "shorter", "short", id="whole"),
    ],
)
def test_names_are_completed(
    kernel_name: str,
    function: str | None,
    name: str,
    fd: Fd,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(objects_btf, "loaded_btf", lambda _: Names(function))
    answer = told(id=5, name=kernel_name.encode(), btf_id=3, nr_func_info=1, func_info_rec_size=8)
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, answer):
        found = prog_info(fd)
    assert (found.name, found.kernel_name) == (name, kernel_name)


def test_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000)
    monkeypatch.setattr(time, "clock_gettime_ns", lambda _: 400_000_000_000)
    assert module._wall_clock(5_999_999_999) == 605
    assert module._wall_clock(0) is None
    assert module._wall_clock(None) is None


def test_a_program_that_vanishes_is_skipped() -> None:
    kernel = FakeKernel()

    def next_id(union: Any, size: int) -> int:
        del size
        if union.start_id > 1:
            return -errno.ENOENT
        union.next_id = union.start_id + 1
        return 0

    kernel.on(Cmd.PROG_GET_NEXT_ID, next_id)
    kernel.on(Cmd.PROG_GET_FD_BY_ID, -errno.ENOENT, kernel.new_fd)
    kernel.on(Cmd.OBJ_GET_INFO_BY_FD, told(id=2))
    with kernel:
        assert [info.id for info in programs()] == [2]
