"""The kernel core on the running kernel."""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.decode import Btf
from bpfctl.btf.sanitize import sanitize
from bpfctl.errors import KeyNotFoundError, SyscallError
from bpfctl.kernel import attr as a
from bpfctl.kernel import info
from bpfctl.kernel.bpf import bpf, bpf_fd, try_bpf
from bpfctl.kernel.flags import MapFlags, RunFlags
from bpfctl.kernel.uapi import Cmd, MapType, ProgType, StatsType
from tests.kernel import needs
from tests.kernel.small import RETURN_2, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bpfctl.kernel.fd import Fd

VMLINUX = "/sys/kernel/btf/vmlinux"
NO_SUCH_TYPE = 4242


@pytest.fixture(scope="module")
def kernel_btf() -> Btf:
    with open(VMLINUX, "rb") as file:  # noqa: PTH123 - pathlib has no unbuffered way for sysfs
        return Btf.parse(file.read(), path=VMLINUX)


@pytest.fixture
def table() -> Iterator[Fd]:
    """Return a hash of 100 entries: u32 to u64."""
    request = a.map_create(
        map_type=MapType.HASH, key_size=4, value_size=8, max_entries=100, name="core test"
    )
    with bpf_fd(request) as fd:
        yield fd


@pytest.fixture
def program() -> Iterator[Fd]:
    with load() as fd:
        yield fd


# --- maps


def test_elements(table: Fd) -> None:
    key, value = struct.pack("I", 7), struct.pack("Q", 99)
    bpf(a.map_elem(Cmd.MAP_UPDATE_ELEM, table, key, value))
    found = bytearray(8)
    bpf(a.map_elem(Cmd.MAP_LOOKUP_ELEM, table, key, found))
    next_key = bytearray(4)
    bpf(a.map_get_next_key(table, None, next_key))
    assert (bytes(found), bytes(next_key)) == (value, key)
    assert try_bpf(a.map_get_next_key(table, key, next_key)) == -errno.ENOENT
    bpf(a.map_elem(Cmd.MAP_DELETE_ELEM, table, key))
    with pytest.raises(KeyNotFoundError):
        bpf(a.map_elem(Cmd.MAP_LOOKUP_ELEM, table, key, found))


def test_batches(table: Fd) -> None:
    numbers = range(1, 51)
    keys = b"".join(struct.pack("I", n) for n in numbers)
    values = b"".join(struct.pack("Q", n * n) for n in numbers)
    update = a.map_batch(Cmd.MAP_UPDATE_BATCH, table, None, None, keys, values, 50)
    bpf(update)
    assert update.count == 50
    assert dict(_read_batches(table, 16)) == {n: n * n for n in numbers}


def _read_batches(table: Fd, size: int) -> Iterator[tuple[int, int]]:
    keys, values, out = bytearray(4 * size), bytearray(8 * size), bytearray(4)
    position: bytes | None = None
    while True:
        batch = a.map_batch(Cmd.MAP_LOOKUP_BATCH, table, position, out, keys, values, size)
        result = try_bpf(batch)
        assert result in {0, -errno.ENOENT}
        pairs = zip(struct.iter_unpack("I", keys), struct.iter_unpack("Q", values), strict=True)
        for (key,), (value,) in list(pairs)[: batch.count]:
            yield key, value
        if result:
            return
        position = bytes(out)


def test_a_frozen_map_takes_no_more() -> None:
    request = a.map_create(
        map_type=MapType.ARRAY,
        key_size=4,
        value_size=4,
        max_entries=1,
        map_flags=MapFlags.RDONLY_PROG,
    )
    with bpf_fd(request) as fd:
        bpf(a.map_freeze(fd))
        with pytest.raises(SyscallError) as caught:
            bpf(a.map_elem(Cmd.MAP_UPDATE_ELEM, fd, bytes(4), b"late"))
        assert caught.value.errno == errno.EPERM
        assert info.map_info(fd).number("map_flags") == MapFlags.RDONLY_PROG


def test_a_map_type_that_nobody_has() -> None:
    request = a.map_create(map_type=NO_SUCH_TYPE, key_size=4, value_size=4, max_entries=1)
    with pytest.raises(SyscallError) as caught:
        bpf_fd(request)
    assert (caught.value.errno, caught.value.call) == (errno.EINVAL, "BPF_MAP_CREATE")


def test_map_info(table: Fd) -> None:
    found = info.map_info(table)
    names = ("type", "key_size", "value_size", "max_entries", "map_flags")
    assert [found.number(name) for name in names] == [MapType.HASH, 4, 8, 100, 0]
    assert found.text("name") == "core_test"


# --- programs


def test_program_info(program: Fd, table: Fd) -> None:
    bpf(a.prog_bind_map(program, table))
    found = info.prog_info(program)
    assert (found.number("type"), found.text("name")) == (ProgType.SOCKET_FILTER, "core_test")
    assert (found.number("gpl_compatible"), found.number("run_cnt")) == (1, 0)
    assert info.prog_map_ids(program) == [info.map_info(table).number("id")]
    assert info.prog_xlated(program) == RETURN_2
    assert (info.prog_func_info(program), info.prog_line_info(program)) == ((b"", 0), (b"", 0))


def test_ids_lead_back(program: Fd) -> None:
    own = info.prog_info(program).number("id")
    assert own
    before = a.get_next_id(Cmd.PROG_GET_NEXT_ID, own - 1)
    bpf(before)
    assert before.next_id == own
    with bpf_fd(a.get_fd_by_id(Cmd.PROG_GET_FD_BY_ID, own)) as again:
        assert info.prog_info(again).number("id") == own


def test_the_log_size_is_told() -> None:
    log = bytearray(1 << 16)
    request = a.prog_load(
        prog_type=ProgType.SOCKET_FILTER, insns=RETURN_2, license="GPL", log_level=2, log_buf=log
    )
    bpf_fd(request).close()
    text = bytes(log).split(b"\0")[0]
    assert b"exit" in text
    assert request.log_true_size in {0, len(text) + 1}  # 0 before Linux 6.4


def test_a_program_runs_on_a_cpu() -> None:
    with load(ProgType.RAW_TRACEPOINT) as fd:
        run = a.prog_test_run(fd, ctx_in=bytes(8), flags=RunFlags.ON_CPU, cpu=0)
        bpf(run)
        assert run.retval == 2


def test_run_statistics(program: Fd) -> None:
    with bpf_fd(a.enable_stats(StatsType.RUN_TIME)):
        out = bytearray(64)
        run = a.prog_test_run(program, data_in=bytes(64), data_out=out, repeat=1)
        bpf(run)
        assert (run.retval, info.prog_info(program).number("run_cnt")) == (2, 1)


def test_pins(program: Fd, bpffs: Path) -> None:
    path = str(bpffs / "prog")
    bpf(a.obj_pin(path, program))
    with bpf_fd(a.obj_get(path)) as again:
        assert info.prog_info(again).raw("tag") == info.prog_info(program).raw("tag")
    assert try_bpf(a.obj_pin(path, program)) == -errno.EEXIST


# --- type information


@needs.VMLINUX_OBJECT
def test_kernel_type_information(kernel_btf: Btf) -> None:
    with bpf_fd(a.get_fd_by_id(Cmd.BTF_GET_FD_BY_ID, 1)) as fd:
        found, name = info.btf_info(fd)
        assert (name, found.number("kernel_btf"), found.number("id")) == ("vmlinux", 1, 1)
        assert info.btf_data(fd) == kernel_btf.data


def test_own_type_information(data: Path) -> None:
    types = sanitize((data / "uapi-7.3.btf").read_bytes(), frozenset({"enum64"}))
    with bpf_fd(a.btf_load(types)) as fd:
        found, name = info.btf_info(fd)
        assert (name, found.number("kernel_btf")) in {("", 0), ("", None)}  # None before 5.11
        assert info.btf_data(fd) == types


def test_the_log_of_type_information_is_told() -> None:
    log = bytearray(1 << 12)
    request = a.btf_load(b"no types", log_level=1, log_buf=log)
    with pytest.raises(SyscallError) as caught:
        bpf_fd(request)
    text = bytes(log).split(b"\0")[0]
    assert (caught.value.errno, caught.value.call) == (errno.EINVAL, "BPF_BTF_LOAD")
    assert text.startswith(b"btf_header")
    assert request.log_true_size in {0, len(text) + 1}  # 0 before Linux 6.4
