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
        done = in_process(
            "-j", "link", "create", f"{bpffs}/prog", *event, "--pin", f"{bpffs}/link"
        )
    error = done.json["error"]
    assert (error["code"], error["status"]) == expected
