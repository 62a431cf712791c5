"""Links on the running kernel, by the requests of the kernel core."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.decode import Btf
from bpfctl.btf.types import Kind
from bpfctl.errors import SyscallError
from bpfctl.kernel import attr as a
from bpfctl.kernel import info, perf
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.uapi import AttachType, LinkType, MapType, ProgType
from tests.kernel import needs
from tests.kernel.small import RETURN_0, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_raw_tracepoint_link() -> None:
    with (
        load(ProgType.RAW_TRACEPOINT) as prog,
        bpf_fd(a.raw_tracepoint_open("sched_process_exec", prog)) as link,
    ):
        found = info.link_info(link)
        assert found.number("type") == LinkType.RAW_TRACEPOINT
        assert found.number("prog_id") == info.prog_info(prog).number("id")
        words = ("raw_tracepoint", "tp_name", "tp_name_len")
        assert info.link_text(link, *words) == "sched_process_exec"


def test_cgroup_link_and_query(cgroup: Path) -> None:
    place = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY)
    kind = AttachType.CGROUP_INET_EGRESS
    try:
        with (
            load(ProgType.CGROUP_SKB, expected_attach_type=kind) as prog,
            bpf_fd(a.link_create(prog_fd=prog, target_fd=place, attach_type=kind)) as link,
        ):
            assert info.link_info(link).number("cgroup.attach_type") == kind
            ids = bytearray(8)
            query = a.prog_query(attach_type=kind, target_fd=place, prog_ids=ids)
            bpf(query)
            own = info.prog_info(prog).number("id")
            assert (query.count, struct.unpack("2I", ids)) == (1, (own, 0))
            bpf(a.link_detach(link))
            bpf(query := a.prog_query(attach_type=kind, target_fd=place))
            assert query.count == 0
    finally:
        os.close(place)


def test_iterator_of_one_map() -> None:
    with open("/sys/kernel/btf/vmlinux", "rb") as file:  # noqa: PTH123 - a file of sysfs
        target = Btf.parse(file.read()).find("bpf_iter_bpf_map_elem", Kind.FUNC)
    assert target
    array = a.map_create(map_type=MapType.ARRAY, key_size=4, value_size=4, max_entries=3)
    kind = AttachType.TRACE_ITER
    with (
        bpf_fd(array) as table,
        load(
            ProgType.TRACING, code=RETURN_0, expected_attach_type=kind, attach_btf_id=target
        ) as prog,
    ):
        request = a.link_create(prog_fd=prog, attach_type=kind)
        # union bpf_iter_link_info: the map's descriptor first.
        a.with_iterator(request, struct.pack("I12x", table.fileno()))
        with bpf_fd(request) as link, bpf_fd(a.iter_create(link)) as reader:
            words = info.link_text(link, "iter", "target_name", "target_name_len")
            assert words == "bpf_map_elem"
            map_id = info.map_info(table).number("id")
            assert info.link_info(link).number("iter.map.map_id") == map_id
            assert os.read(reader.fileno(), 10) == b""


@pytest.fixture
def exec_event(tmp_path: Path) -> Iterator[int]:
    """Return the number of a trace event, read from a tracefs of our own."""
    subprocess.run(["mount", "-t", "tracefs", "bpfctl-test", str(tmp_path)], check=True)
    try:
        yield int((tmp_path / "events/sched/sched_process_exec/id").read_text())
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@needs.PERF_LINK
def test_tracepoint_by_a_perf_event(exec_event: int) -> None:
    with load(ProgType.TRACEPOINT) as prog, perf.open_tracepoint(exec_event) as event:
        request = a.link_create(prog_fd=prog, target_fd=event, attach_type=AttachType.PERF_EVENT)
        with bpf_fd(request) as link:
            perf.enable(event)
            assert info.link_info(link).number("type") == LinkType.PERF_EVENT


def test_tracepoint_without_a_link(exec_event: int) -> None:
    with load(ProgType.TRACEPOINT) as prog, perf.open_tracepoint(exec_event) as event:
        perf.set_bpf(event, prog)
        perf.enable(event)


def test_perf_errors_are_worded() -> None:
    with pytest.raises(SyscallError) as caught:
        perf.open_tracepoint(0xFFFFFFF)
    assert (caught.value.call, caught.value.errno) == ("perf_event_open", errno.EINVAL)
    with load() as program, pytest.raises(SyscallError) as caught:
        perf.enable(program)
    assert (caught.value.call, caught.value.errno) == ("PERF_EVENT_IOC_ENABLE", errno.ENOTTY)
