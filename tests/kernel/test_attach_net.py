"""`link create` for places of the network stack: programs run, and `link show` says where."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.kernel.attr import map_create
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType, MapType
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.objects.cgroup import attached
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.map import Map
from bpfctl.objects.pin import id_of, open_pin, pin
from tests.cli.runner import PROGRAM, Done, in_process
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.kernel.conftest import NetNs

DONE = Done(0, "", "")
SEND = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.sendto(b"x", ("127.0.0.1", 9))
"""


@contextmanager
def counting(name: str, data: Path, place: Path) -> Iterator[Callable[[], int]]:
    """Load and pin a program at `place`/prog; give a function that tells how often it ran."""
    options = LoadOptions(programs=frozenset({name}))
    with ExitStack() as stack:
        loaded = stack.enter_context(load(read_object(str(data / "network.bpf.o")), options))
        loaded.pin_program(name, str(place / "prog"))
        counter = Map(loaded.maps["network.bss"].fd.duplicate())
        stack.enter_context(counter.fd)
        yield lambda: int.from_bytes(counter.lookup(bytes(4)), "little")


def inside(netns: NetNs, *words: str) -> Any:
    """Run bpfctl in a network namespace, and return its JSON."""
    printed = netns.run(sys.executable, "-m", "bpfctl", "-j", *words)
    return json.loads(printed) if printed.strip() else None


@needs.NETFILTER_LINK
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("ipv4 input", "ipv4 input, priority 0", id="plain"),
        pytest.param("ipv4 input priority -7", "ipv4 input, priority -7", id="priority"),
    ],
)
def test_netfilter(words: str, expected: str, data: Path, bpffs: Path, netns: NetNs) -> None:
    netns.run("ip", "link", "set", "lo", "up")
    with counting("on_netfilter", data, bpffs) as runs:
        create = ("link", "create", f"{bpffs}/prog", "netfilter", *words.split())
        shown = inside(netns, *create, "--pin", f"{bpffs}/link")
        assert (shown["type"], shown["attached_to"]) == ("netfilter", expected)
        netns.run(sys.executable, "-c", SEND)
        assert runs() >= 1


@needs.SK_LOOKUP
def test_sk_lookup(data: Path, bpffs: Path, netns: NetNs) -> None:
    netns.run("ip", "link", "set", "lo", "up")
    with counting("on_sk_lookup", data, bpffs) as runs:
        words = ("netns", "sk_lookup", netns.name, "--pin", f"{bpffs}/link")
        assert in_process("link", "create", f"{bpffs}/prog", *words) == DONE
        netns.run(sys.executable, "-c", SEND)
        assert runs() >= 1
        shown = in_process("-j", "link", "show", f"{bpffs}/link").json
        assert shown["attached_to"] == f"sk_lookup in network namespace {netns.name}"


def test_flow_dissector(data: Path, bpffs: Path, netns: NetNs) -> None:
    with counting("on_flow", data, bpffs):
        words = ("netns", "flow_dissector", f"/run/netns/{netns.name}", "--pin", f"{bpffs}/link")
        assert in_process("link", "create", f"{bpffs}/prog", *words) == DONE
        shown = in_process("-j", "link", "show", f"{bpffs}/link").json
        assert shown["attached_to"] == f"flow_dissector in network namespace {netns.name}"


def test_a_network_namespace_that_is_not_there(data: Path, bpffs: Path) -> None:
    with counting("on_flow", data, bpffs):
        words = ("netns", "flow_dissector", "no-such-netns", "--pin", f"{bpffs}/link")
        done = in_process("-j", "link", "create", f"{bpffs}/prog", *words)
        assert (done.status, done.json["error"]["code"]) == (1, "no-netns")


@pytest.fixture
def sockets(bpffs: Path, locked_memory: None) -> Iterator[tuple[str, socket.socket]]:
    """Pin a map of sockets with a connected one in it; give the pin and that socket."""
    request = map_create(
        map_type=MapType.SOCKMAP, key_size=4, value_size=4, max_entries=1, name="t_sockets"
    )
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0],
        bpf_fd(request) as fd,
    ):
        table = Map(fd.duplicate())
        with table.fd:
            table.update(bytes(4), client.fileno().to_bytes(4, "little"))
        pin(fd, f"{bpffs}/sockets")
        yield f"{bpffs}/sockets", client


@needs.SOCKMAP_LINK
def test_sockmap(data: Path, bpffs: Path, sockets: tuple[str, socket.socket]) -> None:
    place, client = sockets
    with counting("on_message", data, bpffs) as runs:
        words = ("sockmap", place, "msg_verdict", "--pin", f"{bpffs}/link")
        assert in_process("link", "create", f"{bpffs}/prog", *words) == DONE
        shown = in_process("-j", "link", "show", f"{bpffs}/link").json
        assert shown["attached_to"] == f"sk_msg_verdict on map {shown['map_id']} t_sockets"
        assert runs() == 0
        _, fd = open_pin(place, ObjectKind.MAP)
        table = Map(fd)
        with table.fd:
            table.update(bytes(4), client.fileno().to_bytes(4, "little"))
        client.send(b"x")
        assert runs() >= 1


@pytest.mark.explains("link-kind-unsupported")
def test_a_kernel_without_links_to_sockmaps(
    data: Path, bpffs: Path, sockets: tuple[str, socket.socket]
) -> None:
    with counting("on_message", data, bpffs):
        words = ("sockmap", sockets[0], "msg_verdict", "--pin", f"{bpffs}/link")
        done = in_process("-j", "link", "create", f"{bpffs}/prog", *words)
        if needs.verdicts()["link sockmap"].available:
            assert done.status == 0
            return
        error = done.json["error"]
        assert (done.status, error["code"], error["since"]) == (5, "link-kind-unsupported", "6.10")


MAKE_NETKIT = """
from pyroute2 import IPRoute
with IPRoute() as ip:
    ip.link("add", ifname="own0", kind="netkit")  # the kernel calls the other end nk0
    for name in ("own0", "nk0"):
        ip.link("set", index=ip.link_lookup(ifname=name)[0], state="up")
"""


@needs.NETKIT
def test_netkit(data: Path, bpffs: Path, netns: NetNs) -> None:
    netns.run(sys.executable, "-c", MAKE_NETKIT)
    with counting("on_netkit", data, bpffs) as runs:
        create = ("link", "create", f"{bpffs}/prog", "netkit", "primary", "dev", "own0")
        shown = inside(netns, *create, "--pin", f"{bpffs}/link")
        assert shown["type"] == "netkit"
        assert shown["attached_to"] == f"own0 primary (ifindex {shown['ifindex']})"
        netns.run("ip", "addr", "add", "192.0.2.1/24", "dev", "own0")
        netns.run(sys.executable, "-c", SEND.replace("127.0.0.1", "192.0.2.2"))
        assert runs() >= 1


@needs.CGROUP_ORDER
def test_order_in_a_cgroup(data: Path, bpffs: Path, cgroup: Path) -> None:
    """Programs of a cgroup go first, last, or beside each other."""
    numbers: dict[str, int] = {}
    for name, order in {
        "middle": "",
        "last": "last",
        "first": "first",
        "second": "after link {first}",
        "fourth": "before link {last}",
    }.items():
        place = bpffs / name
        place.mkdir()
        with counting("on_egress", data, place):
            words = order.format(**numbers).split()
            target = ("cgroup", str(cgroup), "egress", *words)
            done = in_process("link", "create", f"{place}/prog", *target, "--pin", f"{place}/link")
            assert done == DONE
        for what, key in (("link", name), ("prog", f"{name}_prog")):
            kind, fd = open_pin(f"{place}/{what}")
            with fd:
                numbers[key] = id_of(kind, fd)
    names = ("first", "second", "middle", "fourth", "last")
    expected = tuple(numbers[f"{name}_prog"] for name in names)
    assert attached(str(cgroup), AttachType.CGROUP_INET_EGRESS).prog_ids == expected
    stale = in_process(
        *("-j", "link", "create", f"{bpffs}/first/prog", "cgroup", str(cgroup), "egress"),
        *("revision", "1", "--pin", f"{bpffs}/stale"),
    )
    assert (stale.status, stale.json["error"]["errno"]) == (1, "ESTALE")


@pytest.mark.explains("order-unsupported")
def test_a_kernel_without_order_in_cgroups(data: Path, bpffs: Path, cgroup: Path) -> None:
    with counting("on_egress", data, bpffs):
        words = ("cgroup", str(cgroup), "egress", "first", "--pin", f"{bpffs}/link")
        done = in_process("-j", "link", "create", f"{bpffs}/prog", *words)
        if not needs.CGROUP_ORDER.args[0].complaint:
            assert done.status == 0
            return
        error = done.json["error"]
        assert (done.status, error["code"], error["since"]) == (5, "order-unsupported", "6.17")
        assert [one.name for one in bpffs.iterdir()] == ["prog"]


# Broadcasts from both ends: each leaves one interface and arrives at the other.
TALK = """
import socket
for name in ("va0", "va1"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
        udp.sendto(b"x", ("255.255.255.255", 9))
"""
HELD = """
import subprocess, sys
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects.attach_held import held
from bpfctl.objects.attach_targets import Tcx
from bpfctl.objects.pin import open_pin
from bpfctl.objects.prog import prog_info

path, side, talk = sys.argv[1:]

def shown(*words):
    done = subprocess.run(["tc", *words], check=True, capture_output=True, text=True)
    return done.stdout

def filters():
    word = "ingress" if side == "TCX_INGRESS" else "egress"
    return shown("filter", "show", "dev", "va0", word).count("direct-action")

kind, prog = open_pin(path)
target = Tcx("va0", AttachType[side])
with prog, held(prog, prog_info(prog), target):
    with held(prog, prog_info(prog), target):
        assert filters() == 2, filters()
    assert filters() == 1, filters()
    exec(talk)
print(filters(), "clsact" in shown("qdisc", "show", "dev", "va0"))
"""


@pytest.mark.parametrize("side", ["TCX_INGRESS", "TCX_EGRESS"])
def test_filters_where_there_is_no_tcx(
    side: str, data: Path, bpffs: Path, netns: NetNs, tool: Callable[[str], str]
) -> None:
    """What kernels before 6.6 do, which the others can too: nothing is left afterwards."""
    tool("tc")
    for device, address in (("va0", "192.0.2.1"), ("va1", "192.0.2.2")):
        netns.run("ip", "addr", "add", f"{address}/24", "dev", device)
    with counting("on_packet", data, bpffs) as runs:
        printed = netns.run(sys.executable, "-c", HELD, f"{bpffs}/prog", side, TALK)
        assert printed == "0 False\n"
        assert runs() >= 1


@pytest.mark.parametrize(
    "target", ["tcx ingress dev va0", "sockmap {sockets} msg_verdict"], ids=["tcx", "sockmap"]
)
def test_hold_with_and_without_links(
    target: str, data: Path, bpffs: Path, netns: NetNs, sockets: tuple[str, socket.socket]
) -> None:
    name, link = ("on_packet", "tcx") if "tcx" in target else ("on_message", "sockmap")
    words = target.format(sockets=sockets[0]).split()
    enter = ("ip", "netns", "exec", netns.name)
    with counting(name, data, bpffs):
        command = (*enter, *PROGRAM, "-j", "link", "create", f"{bpffs}/prog", *words, "--hold")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stderr is not None
                record = json.loads(process.stdout.readline() or process.stderr.read())
                assert ("id" in record) == needs.verdicts()[f"link {link}"].available
                assert process.stderr.readline().endswith("until Ctrl-C\n")
                process.terminate()
                assert process.wait(10) == 0
            finally:
                process.kill()
