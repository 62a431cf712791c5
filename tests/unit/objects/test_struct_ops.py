"""Struct_ops maps, from what the kernel fills in."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.errors import NotFoundError, SyscallError
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.objects import struct_ops as module
from bpfctl.objects.struct_ops import dump, struct_ops, unregister
from tests.fakes.kernel import FakeKernel, memory
from tests.unit.objects.records import prog

if TYPE_CHECKING:
    from collections.abc import Iterator

LINK = 1 << 13
INT, VALUE = 1, 5


def types() -> Btf:
    """A struct my_ops { int (*call)(int); int (*other)(); int number; }, and the one around it."""
    builder = BtfBuilder()
    builder.add(t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32))
    builder.add(t.FuncProto(2, "", 1, (t.Param("x", 1),)))
    builder.add(t.Ptr(3, "", 2))
    members = (t.Member("call", 3, 0), t.Member("other", 3, 64), t.Member("number", 1, 128))
    builder.add(t.Struct(4, "my_ops", 24, members))
    around = (t.Member("state", 1, 0), t.Member("data", 4, 64))
    builder.add(t.Struct(5, "bpf_struct_ops_my_ops", 32, around))
    builder.add(t.Struct(6, "bpf_map_info", 8, (t.Member("type", 1, 0), t.Member("id", 1, 32))))
    return Btf.parse(builder.build())


@pytest.fixture
def fd() -> Iterator[Fd]:
    with Fd(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)) as opened:
        yield opened


@pytest.fixture(autouse=True)
def kernel_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "kernel_btf", types)


def told(kind: int = MapType.STRUCT_OPS, flags: int = 0) -> Any:
    """Return a kernel that knows one map."""

    def fill(union: Any, size: int) -> int:
        del size
        struct = ffi.cast("struct bpf_map_info *", union.info.info)
        struct.type, struct.id, struct.map_flags, struct.value_size = kind, 9, flags, 32
        struct.name = b"mine"
        struct.btf_vmlinux_value_type_id = VALUE
        union.info.info_len = ffi.sizeof("struct bpf_map_info")
        return 0

    return fill


@pytest.mark.parametrize(("flags", "has_link"), [(0, False), (LINK, True)])
def test_a_map_and_what_it_implements(fd: Fd, flags: int, has_link: bool) -> None:
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told(flags=flags)):
        found = struct_ops(fd)
    assert found.has_link == has_link
    assert found.to_json() == {"id": 9, "name": "mine", "kernel_struct_ops": "my_ops"}


def test_another_map(fd: Fd) -> None:
    with (
        FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told(MapType.HASH)),
        pytest.raises(NotFoundError, match="map 9 mine is no struct_ops, but of type hash"),
    ):
        struct_ops(fd)


def test_unregistering_deletes_the_value(fd: Fd) -> None:
    kernel = FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told()).on(Cmd.MAP_DELETE_ELEM, 0)
    with kernel:
        assert unregister(fd).kernel_struct == "my_ops"
    assert kernel.calls[-1].cmd == Cmd.MAP_DELETE_ELEM


@pytest.mark.parametrize(
    ("flags", "remedy"),
    [(LINK, "detach its link (link detach), or remove the link's pin"), (0, None)],
    ids=["link", "value"],
)
def test_a_registration_that_cannot_be_deleted(fd: Fd, flags: int, remedy: str | None) -> None:
    kernel = FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told(flags=flags))
    refusing = kernel.on(Cmd.MAP_DELETE_ELEM, -errno.EOPNOTSUPP)
    with refusing, pytest.raises(SyscallError) as raised:
        unregister(fd)
    assert raised.value.remedy == remedy


def test_a_dump_names_programs(fd: Fd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "prog_info", lambda _: prog(27, name="mine_call"))

    def value(union: Any, size: int) -> int:
        del size
        data = (3).to_bytes(8, "little") + (60).to_bytes(8, "little") + bytes(8) + b"\7" + bytes(7)
        memory(int(union.value), 32)[:] = data
        return 0

    kernel = FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told()).on(Cmd.MAP_LOOKUP_ELEM, value)
    with kernel.on(Cmd.PROG_GET_FD_BY_ID, kernel.new_fd):
        found = dump(fd)
    ours = {"call": "int (int) mine_call/prog_id:60", "other": "int (int) 0", "number": 7}
    assert found == [
        {"bpf_map_info": {"type": MapType.STRUCT_OPS, "id": 9}},
        {"bpf_struct_ops_my_ops": {"state": 3, "data": ours}},
    ]


def test_a_program_that_is_gone_has_no_name(fd: Fd) -> None:
    def value(union: Any, size: int) -> int:
        del size
        memory(int(union.value), 32)[:] = bytes(8) + b"\5" + bytes(23)
        return 0

    kernel = FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told()).on(Cmd.MAP_LOOKUP_ELEM, value)
    with kernel.on(Cmd.PROG_GET_FD_BY_ID, -errno.ENOENT):
        (_, found) = dump(fd)
    data = found["bpf_struct_ops_my_ops"]["data"]
    assert data["call"] == "int (int) <unknown_prog_name>/prog_id:5"
