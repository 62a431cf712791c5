"""What a place refuses is said: another namespace, a taken hook, a place that changed."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from tests.cli.runner import PROGRAM, in_process
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.kernel.conftest import NetNs

    Attach = Callable[..., Any]


@pytest.fixture
def attach(data: Path, bpffs: Path, netns: NetNs) -> Iterator[Attach]:
    """Give a function that loads a program and attaches it in a namespace; it gives the error.

    None is: it was attached.
    """
    with ExitStack() as stack:

        def run(name: str, *words: str) -> Any:
            place = bpffs / name
            if not place.exists():
                options = LoadOptions(programs=frozenset({name}))
                spec = read_object(str(data / "network.bpf.o"))
                stack.enter_context(load(spec, options)).pin_program(name, str(place))
            pin = f"{bpffs}/link{len(list(bpffs.iterdir()))}"
            command = (*PROGRAM, "-j", "link", "create", str(place), *words, "--pin", pin)
            entered = ("ip", "netns", "exec", netns.name, *command)
            done = subprocess.run(entered, check=False, capture_output=True, text=True)
            found = json.loads(done.stdout)
            return found.get("error")

        yield run


def test_a_namespace_with_a_flow_dissector(attach: Attach, netns: NetNs, tmp_path: Path) -> None:
    assert attach("on_flow", "netns", "flow_dissector", netns.name) is None
    error = attach("on_flow", "netns", "flow_dissector", netns.name)
    assert (error["code"], error["status"], len(error["evidence"])) == ("netns-full", 1, 1)
    error = attach("on_flow", "netns", "flow_dissector", str(tmp_path))
    assert (error["code"], error["object"]) == ("not-netns", str(tmp_path))
    os.mkfifo(tmp_path / "fifo")
    error = attach("on_flow", "netns", "flow_dissector", str(tmp_path / "fifo"))
    assert error["code"] == "not-netns"


@needs.NETFILTER_LINK
def test_a_hook_with_a_program_of_that_priority(attach: Attach) -> None:
    assert attach("on_netfilter", "netfilter", "ipv4", "input", "priority", "-7") is None
    error = attach("on_netfilter", "netfilter", "ipv4", "input", "priority", "-7")
    assert (error["code"], len(error["evidence"])) == ("netfilter-priority-taken", 1)
    error = attach("on_netfilter", "netfilter", "ipv4", "input", "priority", "-2147483649")
    assert error["message"].startswith('"-2147483649" is no priority: expected a number from -2')


@needs.TCX
def test_a_place_among_programs_that_is_not_there(attach: Attach) -> None:
    assert attach("on_packet", "tcx", "ingress", "dev", "va0") is None
    error = attach("on_packet", "tcx", "egress", "dev", "va0", "revision", "9")
    assert (error["code"], error["errno"]) == ("attach-point-changed", "ESTALE")
    assert error["evidence"] == ["its revision is 1, and 0 programs run there"]
    error = attach("on_packet", "tcx", "egress", "dev", "va0", "before", "link", "4294967295")
    assert (error["code"], error["status"]) == ("no-such-neighbour", 3)


@needs.NETKIT
def test_an_interface_that_is_no_netkit(attach: Attach) -> None:
    error = attach("on_netkit", "netkit", "primary", "dev", "va0")
    assert (error["code"], error["status"]) == ("not-netkit", 2)


@needs.SOCKMAP_LINK
def test_a_map_that_holds_no_sockets(attach: Attach, bpffs: Path, data: Path) -> None:
    with load(read_object(str(data / "maps.bpf.o")), LoadOptions(programs=frozenset())) as loaded:
        from bpfctl.objects.pin import pin

        name, one = next(iter(loaded.maps.items()))
        pin(one.fd, f"{bpffs}/{name}")
        error = attach("on_message", "sockmap", f"{bpffs}/{name}", "msg_verdict")
        assert (error["code"], error["status"]) == ("not-sockmap", 2)


@needs.PERF_LINK
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("cpu 60000", ("no-such-cpu", 3), id="no such CPU"),
        pytest.param("cpu 0", ("sample-rate", 2), id="too often"),
    ],
)
def test_an_event_that_is_refused(
    words: str, expected: tuple[str, int], data: Path, bpffs: Path
) -> None:
    options = LoadOptions(programs=frozenset({"on_perf_event"}))
    with load(read_object(str(data / "probes.bpf.o")), options) as loaded:
        loaded.pin_program("on_perf_event", f"{bpffs}/prog")
        event = ("perf_event", "cpu-clock", "freq", "1000000000000", *words.split())
        done = in_process("-j", "link", "create", f"{bpffs}/prog", *event, "--pin", f"{bpffs}/link")
    error = done.json["error"]
    assert (error["code"], error["status"]) == expected


@needs.UPROBE
@needs.PERF_LINK
@pytest.mark.parametrize("offset", [1 << 40, (1 << 63) - 1], ids=["far", "farthest"])
def test_a_place_behind_the_end_of_a_file(offset: int, data: Path, bpffs: Path) -> None:
    """The kernel takes an offset that does not fit into loff_t for one that is negative."""
    options = LoadOptions(programs=frozenset({"on_uprobe"}))
    with load(read_object(str(data / "probes.bpf.o")), options) as loaded:
        loaded.pin_program("on_uprobe", f"{bpffs}/prog")
        place = ("uprobe", f"libc.so.6:malloc+{offset}")
        done = in_process("-j", "link", "create", f"{bpffs}/prog", *place, "--pin", f"{bpffs}/link")
    error = done.json["error"]
    assert (error["code"], error["status"]) == ("place-outside", 2)


def test_a_process_that_is_not_there(data: Path, bpffs: Path) -> None:
    options = LoadOptions(programs=frozenset({"on_uprobe_multi"}))
    with load(read_object(str(data / "probes.bpf.o")), options) as loaded:
        loaded.pin_program("on_uprobe_multi", f"{bpffs}/prog")
        place = ("uprobe.multi", "libc.so.6:malloc", "pid", "2147483647")
        done = in_process("-j", "link", "create", f"{bpffs}/prog", *place, "--pin", f"{bpffs}/link")
    error = done.json["error"]
    assert (error["code"], error["status"]) == ("no-such-process", 3)


@needs.CGROUP_ITER
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("id 999999999999", ("no-cgroup", 3), id="no such id"),
        pytest.param("/proc", ("not-cgroup2", 1), id="no cgroup"),
    ],
)
def test_a_cgroup_that_is_none(
    words: str, expected: tuple[str, int], data: Path, bpffs: Path
) -> None:
    with load(read_object(str(data / "iter_cgroup.bpf.o")), LoadOptions()) as loaded:
        loaded.pin_program(next(iter(loaded.programs)), f"{bpffs}/prog")
        target = ("iter", "cgroup", *words.split())
        done = in_process(
            "-j", "link", "create", f"{bpffs}/prog", *target, "--pin", f"{bpffs}/link"
        )
    error = done.json["error"]
    assert (error["code"], error["status"]) == expected


@needs.TASK_ITER
@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        pytest.param("iter_task", "cgroup /proc", "walks task, and takes no cgroup", id="tasks"),
        pytest.param(
            "iter_map_elem", "pid 1", "walks bpf_map_elem, and takes no pid", id="elements"
        ),
    ],
)
def test_a_parameter_of_other_iterators(
    name: str, words: str, message: str, data: Path, bpffs: Path
) -> None:
    done = in_process("-j", "iter", "run", str(data / f"{name}.bpf.o"), *words.split())
    error = done.json["error"]
    assert error["code"] == "iterator-parameter"
    assert error["message"].endswith(f": the iterator {message}")


@needs.PROG_TARGET_INFO
@pytest.mark.parametrize("words", ["", "pid 1"], ids=["nothing", "a process"])
def test_a_program_that_is_no_iterator(words: str, data: Path, bpffs: Path) -> None:
    with load(read_object(str(data / "tp_btf.bpf.o")), LoadOptions()) as loaded:
        loaded.pin_program(next(iter(loaded.programs)), f"{bpffs}/prog")
        target = ("iter", *words.split(), "--pin", f"{bpffs}/link")
        error = in_process("-j", "link", "create", f"{bpffs}/prog", *target).json["error"]
    assert (error["code"], error["status"]) == ("no-iterator", 2)


@needs.UPROBE_MULTI
def test_a_place_in_what_is_no_file(data: Path, bpffs: Path) -> None:
    options = LoadOptions(programs=frozenset({"on_uprobe_multi"}))
    with load(read_object(str(data / "probes.bpf.o")), options) as loaded:
        loaded.pin_program("on_uprobe_multi", f"{bpffs}/prog")
        words = ("uprobe.multi", f"{bpffs}:16", "--pin", f"{bpffs}/link")
        error = in_process("-j", "link", "create", f"{bpffs}/prog", *words).json["error"]
    assert (error["object"], error["message"]) == (str(bpffs), "this is no file with code")


@needs.TASK_ITER
def test_a_descriptor_of_no_process(data: Path, bpffs: Path) -> None:
    with load(read_object(str(data / "iter_task.bpf.o")), LoadOptions()) as loaded:
        loaded.pin_program(next(iter(loaded.programs)), f"{bpffs}/prog")
        target = ("iter", "pidfd", "100000")
        done = in_process(
            "-j", "link", "create", f"{bpffs}/prog", *target, "--pin", f"{bpffs}/link"
        )
    error = done.json["error"]
    assert (error["code"], error["status"]) == ("not-pidfd", 2)
