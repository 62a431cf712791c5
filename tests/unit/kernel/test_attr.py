from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import UsageError
from bpfctl.kernel import attr as a
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.request import Attr, object_name
from bpfctl.kernel.uapi import AttachType, Cmd, MapType, ProgType
from tests.fakes.kernel import FakeKernel, memory

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT = bytes.fromhex("b7000000000000009500000000000000")
SMALL: dict[str, Any] = {"map_type": MapType.HASH, "key_size": 4, "value_size": 8, "max_entries": 1}


def load(**more: Any) -> a.ProgLoad:
    return a.prog_load(prog_type=1, insns=EXIT, license="GPL", **more)


# Sizes counted by hand from include/uapi/linux/bpf.h.
@pytest.mark.parametrize(
    ("make", "size"),
    [
        pytest.param(lambda: a.map_create(**SMALL), 16, id="map"),
        pytest.param(lambda: a.map_create(**SMALL, map_flags=1), 20, id="map-flags"),
        pytest.param(lambda: a.map_create(**SMALL, name="abc"), 32, id="map-name-short"),
        pytest.param(lambda: a.map_create(**SMALL, name="a" * 15), 44, id="map-name-long"),
        pytest.param(lambda: a.map_create(**SMALL, numa_node=0), 20, id="map-numa-0"),
        pytest.param(lambda: a.map_create(**SMALL, numa_node=1), 28, id="map-numa-1"),
        pytest.param(
            lambda: a.map_create(**SMALL, btf_fd=3, btf_value_type_id=2), 60, id="map-btf"
        ),
        pytest.param(lambda: a.map_create(**SMALL, map_extra=1), 72, id="map-extra"),
        pytest.param(lambda: a.map_freeze(3), 4, id="freeze"),
        pytest.param(load, 24, id="prog"),
        pytest.param(lambda: load(name="x"), 52, id="prog-name"),
        pytest.param(lambda: load(expected_attach_type=3), 72, id="prog-attach-type"),
        pytest.param(lambda: load(log_level=1, log_buf=bytearray(9)), 144, id="prog-log"),
        pytest.param(lambda: load(fd_array=(3,)), 128, id="prog-fd-array"),
        pytest.param(lambda: a.btf_load(b"btf"), 20, id="btf"),
        pytest.param(
            lambda: a.btf_load(b"btf", log_level=1, log_buf=bytearray(9)), 32, id="btf-log"
        ),
        pytest.param(lambda: a.get_next_id(Cmd.MAP_GET_NEXT_ID, 0), 8, id="next-id"),
        pytest.param(lambda: a.get_fd_by_id(Cmd.MAP_GET_FD_BY_ID, 7), 4, id="fd-by-id"),
        pytest.param(lambda: a.obj_get("/p"), 8, id="obj-get"),
        pytest.param(lambda: a.obj_pin("/p", 3), 12, id="obj-pin"),
        pytest.param(lambda: a.link_create(prog_fd=3, attach_type=28), 12, id="link"),
        pytest.param(lambda: a.prog_query(attach_type=46, target_ifindex=2), 64, id="query"),
        pytest.param(lambda: a.raw_tracepoint_open("", 3), 12, id="raw-tp-loaded"),
    ],
)
def test_size_ends_with_the_fields_in_use(make: Callable[[], Attr], size: int) -> None:
    assert make().size == size


def test_a_field_is_covered_whole_though_its_value_ends_in_zeros() -> None:
    """A pointer may lie below 4 GiB: Debian's Python is not position independent."""
    attr = a.obj_get("/p")
    attr.set(pathname=0x1000)
    assert attr.size == 8


def test_results_are_covered_though_they_are_zero() -> None:
    kernel = FakeKernel().on(Cmd.PROG_LOAD, -22)
    with kernel:
        try_bpf(load(log_level=1, log_buf=bytearray(64)))
    # log_true_size ends at 144 (Linux 6.4): a shorter attr would not get it.
    assert kernel.sizes() == [144]


def test_every_field_of_a_map() -> None:
    attr = a.map_create(
        map_type=MapType.ARRAY_OF_MAPS,
        key_size=4,
        value_size=4,
        max_entries=7,
        map_flags=1 << 12,
        name="outer",
        numa_node=1,
        btf_fd=11,
        btf_key_type_id=21,
        btf_value_type_id=22,
        btf_vmlinux_value_type_id=23,
        inner_map_fd=12,
        map_ifindex=13,
        map_extra=1 << 40,
    )
    u = attr.union
    assert [u.map_type, u.key_size, u.value_size, u.max_entries] == [12, 4, 4, 7]
    assert [u.map_flags, u.inner_map_fd, u.numa_node] == [1 << 12 | 1 << 2, 12, 1]
    assert [u.map_ifindex, u.btf_fd, u.btf_key_type_id, u.btf_value_type_id] == [13, 11, 21, 22]
    assert [u.btf_vmlinux_value_type_id, u.map_extra] == [23, 1 << 40]
    assert (bytes(u.map_name), attr.doing) == (b"outer" + bytes(11), "create map outer")


def test_every_field_of_a_program() -> None:
    funcs, lines, log = bytes(range(16)), bytes(range(32)), bytearray(128)
    attr = a.prog_load(
        prog_type=ProgType.TRACING,
        insns=EXIT,
        license="Dual BSD/GPL",
        name="on exec",
        expected_attach_type=AttachType.TRACE_ITER,
        prog_flags=1 << 4,
        prog_btf_fd=5,
        func_info=funcs,
        func_info_rec_size=8,
        line_info=lines,
        line_info_rec_size=16,
        attach_btf_id=99,
        attach_btf_obj_fd=6,
        kern_version=0x060C00,
        prog_ifindex=4,
        fd_array=(7, 8),
        log_level=2,
        log_buf=log,
    )
    u = attr.union
    assert [u.prog_type, u.insn_cnt, u.prog_flags] == [26, 2, 16]
    assert [u.expected_attach_type, u.kern_version, u.prog_ifindex] == [28, 0x060C00, 4]
    assert [u.prog_btf_fd, u.attach_btf_id, u.attach_btf_obj_fd] == [5, 99, 6]
    assert [u.func_info_cnt, u.func_info_rec_size] == [2, 8]
    assert [u.line_info_cnt, u.line_info_rec_size] == [2, 16]
    assert [u.log_level, u.log_size] == [2, 128]
    assert bytes(u.prog_name) == b"on_exec" + bytes(9)
    assert bytes(memory(u.insns, 16)) == EXIT
    assert bytes(memory(u.license, 13)) == b"Dual BSD/GPL\0"
    assert bytes(memory(u.func_info, 16)) == funcs
    assert bytes(memory(u.line_info, 32)) == lines
    assert bytes(memory(u.fd_array, 8)) == bytes.fromhex("0700000008000000")
    memory(u.log_buf, 128)[:3] = b"log"
    assert log[:4] == b"log\0"


def test_buffers_live_as_long_as_the_request() -> None:
    attr = load(func_info=bytes(range(8)) * 2, func_info_rec_size=8)
    gc.collect()
    junk = [bytes([0xEE]) * 16 for _ in range(1000)]
    u = attr.union
    assert bytes(memory(u.insns, 16)) == EXIT
    assert bytes(memory(u.license, 4)) == b"GPL\0"
    assert bytes(memory(u.func_info, 16)) == bytes(range(8)) * 2
    assert len(junk) == 1000


def test_empty_buffers_are_null() -> None:
    attr = a.map_elem(Cmd.MAP_LOOKUP_ELEM, 3, b"", bytearray())
    assert (attr.union.key, attr.union.value, attr.size) == (0, 0, 4)


def test_the_kernel_writes_into_what_we_gave() -> None:
    value, array = bytearray(8), ffi.new("uint32_t[2]")
    attr = a.map_elem(Cmd.MAP_LOOKUP_ELEM, 3, b"key!", value)
    memory(attr.union.value, 8)[:] = b"answered"
    batch = a.map_batch(Cmd.MAP_LOOKUP_BATCH, 3, None, bytearray(4), array, memoryview(value), 2)
    memory(batch.union.batch.keys, 8)[:] = bytes.fromhex("0100000002000000")
    assert (bytes(value), list(array)) == (b"answered", [1, 2])


def test_a_batch_reports_its_count() -> None:
    attr = a.map_batch(Cmd.MAP_UPDATE_BATCH, 3, b"from", bytearray(4), b"k" * 8, b"v" * 8, 2, 4)
    batch = attr.union.batch
    assert (attr.count, batch.map_fd, batch.elem_flags, attr.size) == (2, 3, 4, 48)
    assert bytes(memory(batch.in_batch, 4)) == b"from"
    batch.count = 1
    assert attr.count == 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        pytest.param("plain_1.x", b"plain_1.x", id="valid"),
        pytest.param("a" * 20, b"a" * 15, id="too-long"),
        pytest.param("my map-1", b"my_map_1", id="blank-and-dash"),
        pytest.param("größe", b"gr____e", id="not-ascii"),
        pytest.param("", b"", id="empty"),
    ],
)
def test_names_are_made_valid(name: str, kept: bytes) -> None:
    assert object_name(name) == kept


@pytest.mark.parametrize(
    ("make", "code"),
    [
        pytest.param(lambda: a.map_create(**{**SMALL, "max_entries": 1 << 32}),
                     "number-out-of-range", id="too-large"),
        pytest.param(lambda: a.map_create(**{**SMALL, "key_size": -1}),
                     "number-out-of-range", id="negative"),
        pytest.param(lambda: a.obj_get("/sys/fs/bpf/a\0b"), "zero-byte", id="zero-in-path"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_worded(make: Callable[[], Attr], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert caught.value.code == code


def test_descriptors_come_as_numbers_or_owners() -> None:
    with Fd(FakeKernel().fd()) as fd:
        attr = a.prog_bind_map(fd, 9)
        assert (attr.union.prog_bind_map.prog_fd, attr.union.prog_bind_map.map_fd) == (
            fd.fileno(),
            9,
        )


def test_paths_need_not_be_text() -> None:
    attr = a.obj_get("/sys/fs/bpf/\udcff")
    assert bytes(memory(attr.union.pathname, 14)) == b"/sys/fs/bpf/\xff\0"


def test_link_variants() -> None:
    info = bytes.fromhex("05000000")
    iterator = a.with_iterator(a.link_create(prog_fd=3, attach_type=AttachType.TRACE_ITER), info)
    link = iterator.union.link_create
    assert (link.iter_info_len, bytes(memory(link.iter_info, 4))) == (4, info)
    none = a.with_iterator(a.link_create(prog_fd=3, attach_type=AttachType.TRACE_ITER), b"")
    assert (none.union.link_create.iter_info, none.size) == (0, 12)

    cookie = a.with_perf_cookie(a.link_create(prog_fd=3, attach_type=41), 1 << 50)
    assert (cookie.union.link_create.perf_event.bpf_cookie, cookie.size) == (1 << 50, 24)

    tcx = a.link_create(prog_fd=3, attach_type=AttachType.TCX_INGRESS, target_ifindex=2, flags=8)
    link = a.with_neighbour(tcx, "tcx", relative=4, expected_revision=5).union.link_create
    assert (link.target_ifindex, link.flags) == (2, 8)
    assert (link.tcx.relative_fd, link.tcx.expected_revision) == (4, 5)

    tracing = a.link_create(prog_fd=3, attach_type=AttachType.TRACE_FENTRY, target_btf_id=77)
    assert tracing.union.link_create.target_btf_id == 77


def test_attach_without_a_link() -> None:
    attach = a.prog_attach(attach_type=1, target_fd=4, prog_fd=3, attach_flags=2)
    u = attach.union
    assert (u.target_fd, u.attach_bpf_fd, u.attach_type, u.attach_flags) == (4, 3, 1, 2)
    u = a.prog_detach(attach_type=1, target_fd=4).union
    assert (u.target_fd, u.attach_bpf_fd, u.attach_type) == (4, 0, 1)
    u = a.link_update(3, 4, flags=4, old_prog_fd=5).union.link_update
    assert (u.link_fd, u.new_prog_fd, u.flags, u.old_prog_fd) == (3, 4, 4, 5)
    assert a.link_detach(3).union.link_detach.link_fd == 3
    assert a.iter_create(3).union.iter_create.link_fd == 3
    assert a.enable_stats(0).size == 0


def test_query_results() -> None:
    ids = bytearray(8)
    attr = a.prog_query(attach_type=1, target_fd=4, query_flags=1, prog_ids=ids)
    query = attr.union.query
    assert (query.target_fd, query.query_flags, query.prog_cnt) == (4, 1, 2)
    memory(query.prog_ids, 8)[:] = bytes.fromhex("0a0000000b000000")
    query.prog_cnt, query.attach_flags, query.revision = 3, 2, 9
    assert (ids[0], ids[4]) == (10, 11)
    assert (attr.count, attr.attach_flags, attr.revision) == (3, 2, 9)


def test_run_results() -> None:
    out = bytearray(4)
    attr = a.prog_test_run(3, data_in=b"packet", data_out=out, ctx_in=b"ctx", flags=1, cpu=1)
    test = attr.union.test
    assert (test.data_size_in, test.data_size_out, test.ctx_size_in) == (6, 4, 3)
    assert (test.flags, test.cpu) == (1, 1)
    memory(test.data_out, 4)[:] = b"done"
    test.retval = 0xFFFFFFFF
    assert (bytes(out), attr.retval) == (b"done", 0xFFFFFFFF)
