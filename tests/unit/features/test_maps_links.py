"""What maps and links that are made, or not, say about their kind."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import ENOTSUPP
from bpfctl.features import links, maps
from bpfctl.features.links import probe_links
from bpfctl.features.maps import probe_map_type, probe_map_types
from bpfctl.features.prober import Prober
from bpfctl.features.verdict import available, not_available, unknown
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.linux.kconfig import KernelConfig
from tests.fakes.kernel import FakeKernel
from tests.unit.features.kernels import vmlinux

if TYPE_CHECKING:
    from pathlib import Path


def maps_answered(number: int) -> FakeKernel:
    """Return a kernel that has type information and answers each map alike."""
    kernel = FakeKernel()
    return kernel.on(Cmd.BTF_LOAD, kernel.new_fd).on(Cmd.MAP_CREATE, -number)


@pytest.mark.parametrize(
    ("kind", "number", "answer"),
    [
        pytest.param(MapType.HASH, errno.EINVAL, False, id="unknown-type"),
        pytest.param(MapType.HASH, errno.E2BIG, False, id="a-field-it-does-not-know"),
        pytest.param(MapType.ARENA, errno.EOPNOTSUPP, False, id="not-built"),
        pytest.param(MapType.HASH, errno.EPERM, None, id="denied"),
        pytest.param(MapType.HASH, errno.ENOMEM, None, id="no-memory"),
        pytest.param(MapType.STRUCT_OPS, ENOTSUPP, True, id="struct-ops-wants-another-type"),
        pytest.param(MapType.STRUCT_OPS, errno.EINVAL, False, id="no-struct-ops"),
        pytest.param(MapType.SK_STORAGE, errno.EINVAL, False, id="storage"),
    ],
)
def test_map_refusals(kind: MapType, number: int, answer: bool | None) -> None:
    with maps_answered(number), Prober() as prober:
        verdict = probe_map_type(prober, kind)
    assert (verdict.available, verdict.since) == (answer, maps.PROBES[kind.name].since)


def test_every_map_type_is_asked_about() -> None:
    kernel = FakeKernel()
    kernel.on(Cmd.BTF_LOAD, kernel.new_fd).on(Cmd.MAP_CREATE, kernel.new_fd)
    with kernel, Prober() as prober:
        verdicts = probe_map_types(prober)
    assert list(verdicts) == [kind.name.lower() for kind in MapType if kind]
    assert {verdict.available for verdict in verdicts.values()} == {True}


@pytest.mark.parametrize("kind", [MapType.SK_STORAGE, MapType.CGRP_STORAGE])
def test_storage_without_type_information_cannot_be_told(kind: MapType) -> None:
    """The kernel would say EINVAL for the lack of it, to whoever may not load any."""
    kernel = FakeKernel().on(Cmd.BTF_LOAD, -errno.EPERM)
    with kernel, Prober() as prober:
        verdict = probe_map_type(prober, kind)
    assert verdict.denied
    assert verdict.reason == "what it is made of cannot be made: EPERM"
    assert {call.cmd for call in kernel.calls} == {Cmd.BTF_LOAD}


def test_maps_of_maps_without_a_map_cannot_be_told() -> None:
    kernel = FakeKernel().on(Cmd.MAP_CREATE, -errno.ENOMEM)
    with kernel, Prober() as prober:
        verdict = probe_map_type(prober, MapType.HASH_OF_MAPS)
    reason = "what it is made of cannot be made: ENOMEM"
    assert verdict == unknown(reason, errno.ENOMEM, "4.12")
    assert [call.attr.map_type for call in kernel.calls] == [MapType.HASH]


def test_growing_hash_maps_must_not_be_preallocated() -> None:
    kernel = maps_answered(errno.EINVAL)
    with kernel, Prober() as prober:
        probe_map_type(prober, MapType.RHASH)
    attr = kernel.calls[0].attr
    assert (attr.map_type, attr.map_flags, attr.max_entries) == (35, 1, 1)


@pytest.fixture
def btf(tmp_path: Path) -> str:
    path = tmp_path / "vmlinux"
    path.write_bytes(vmlinux())
    return str(path)


def links_answered(number: int) -> FakeKernel:
    kernel = FakeKernel()
    return kernel.on(Cmd.PROG_LOAD, kernel.new_fd).on(Cmd.LINK_CREATE, -number)


EXISTS = {
    errno.EBADF: {"cgroup", "netns", "perf_event", "sockmap"},
    errno.ENODEV: {"tcx", "netkit"},
    errno.EAFNOSUPPORT: {"netfilter"},
    errno.EFAULT: {
        *("kprobe_multi", "kprobe_session", "uprobe_multi", "uprobe_session", "tracing_multi"),
    },
}


@pytest.mark.parametrize("number", EXISTS, ids=errno.errorcode.get)
def test_a_complaint_about_the_target_is_a_yes(number: int, btf: str) -> None:
    with links_answered(number), Prober(btf) as prober:
        verdicts = probe_links(prober, None)
    assert {name for name, verdict in verdicts.items() if verdict.available} == EXISTS[number]
    others = {v.available for name, v in verdicts.items() if name not in EXISTS[number]}
    assert others == {None}


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP, ENOTSUPP, errno.E2BIG])
def test_a_complaint_about_the_request_is_a_no(number: int, btf: str) -> None:
    with links_answered(number), Prober(btf) as prober:
        verdicts = probe_links(prober, None)
    assert {verdict.available for verdict in verdicts.values()} == {False}


def test_links_that_are_made_are_closed(btf: str) -> None:
    kernel = FakeKernel()
    kernel.on(Cmd.PROG_LOAD, kernel.new_fd).on(Cmd.LINK_CREATE, kernel.new_fd)
    with kernel, Prober(btf) as prober:
        verdicts = probe_links(prober, None)
    assert verdicts == {name: available(how.since) for name, how in links.PROBES.items()}


@pytest.mark.parametrize(
    ("number", "answer"), [(errno.EINVAL, False), (errno.EPERM, None), (errno.ENOMEM, None)]
)
def test_links_whose_program_does_not_load(number: int, answer: bool | None, btf: str) -> None:
    with FakeKernel().on(Cmd.PROG_LOAD, -number), Prober(btf) as prober:
        verdicts = probe_links(prober, None)
    assert {verdict.available for verdict in verdicts.values()} == {answer}
    assert verdicts["tcx"].reason == f"its program does not load: {errno.errorcode[number]}"


def test_the_option_that_is_missing_is_named(btf: str) -> None:
    config = KernelConfig("", {"CONFIG_NETKIT": "m"})
    with links_answered(errno.EINVAL), Prober(btf) as prober:
        verdicts = probe_links(prober, config)
    assert verdicts["netkit"].reason == "the kernel answers EINVAL"
    assert verdicts["tcx"] == not_available("CONFIG_NET_XGRESS is not set", errno.EINVAL, "6.6")


def test_link_requests_name_what_cannot_be(btf: str) -> None:
    kernel = links_answered(errno.EINVAL)
    with kernel, Prober(btf) as prober:
        probe_links(prober, None)
    attrs = [call.attr for call in kernel.calls if call.cmd == Cmd.LINK_CREATE]
    made: dict[int, Any] = {attr.link_create.attach_type: attr for attr in attrs}
    by_name = {name: made[how.attach_type].link_create for name, how in links.PROBES.items()}
    multi = by_name["kprobe_multi"].kprobe_multi
    assert by_name["tcx"].target_ifindex == 0x7FFFFFFF
    assert by_name["cgroup"].target_fd == 0x7FFFFFFF
    assert (multi.cnt, multi.syms) == (1, 1)
    assert by_name["netfilter"].netfilter.pf == 255
    assert (by_name["tracing_multi"].tracing_multi.cnt, by_name["iter"].target_fd) == (1, 0)
