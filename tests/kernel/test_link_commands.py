"""`bpfctl link` as a person and a script use it, on the running kernel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.kernel.uapi import LinkType
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.link import link_info, links
from bpfctl.objects.pin import id_of, open_pin
from bpfctl.objects.prog import prog_info
from tests.cli.runner import PROGRAM, Done, in_process, run
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.kernel.conftest import NetNs


@pytest.fixture
def pinned(data: Path, bpffs: Path) -> Callable[[str], str]:
    """Return a function that loads and pins an object of ours, and gives its first program."""

    def load(name: str) -> str:
        place = bpffs / name
        done = in_process("prog", "loadall", str(data / f"{name}.bpf.o"), str(place))
        assert done == Done(0, "", "")
        return str(min(place.iterdir()))

    return load


def link_of(path: object) -> Any:
    _, fd = open_pin(str(path), ObjectKind.LINK)
    with fd:
        return link_info(fd)


def wait_until_gone(link_id: int) -> None:
    """Old kernels put the end of a link off until a worker has the time."""
    deadline = time.monotonic() + 10
    while link_id in [other.id for other in links()]:
        assert time.monotonic() < deadline, f"link {link_id} lives on"
        time.sleep(0.05)


def test_create_show_pin_and_let_go(pinned: Callable[[str], str], bpffs: Path) -> None:
    prog, path = pinned("raw_tp"), f"{bpffs}/link"
    created = in_process(
        "link", "create", prog, "raw_tracepoint", "sched_process_exec", "--pin", path
    )
    assert created == Done(0, "", "")
    info = link_of(path)
    assert in_process("link", "pin", "id", str(info.id), f"{bpffs}/again") == Done(0, "", "")
    assert run("link", "show", str(info.id)) == Done(
        0,
        f"id           {info.id}\n"
        "type         raw_tracepoint\n"
        f"program      {info.prog_id} on_exec_raw\n"
        "attached to  sched_process_exec\n"
        f"pinned       {bpffs}/again, {path}\n"
        "held by      -\n"
        "tp_name      sched_process_exec\n",
        "",
    )
    os.unlink(path)  # noqa: PTH108 - as a person does
    os.unlink(f"{bpffs}/again")  # noqa: PTH108 - the last one: the link ends
    wait_until_gone(info.id)


def test_the_table_and_json(
    pinned: Callable[[str], str], bpffs: Path, cgroup: Path, bpftool: Callable[..., Any]
) -> None:
    in_process("link", "create", pinned("iter_task"), "iter", "--pin", f"{bpffs}/tasks")
    group = ("cgroup", str(cgroup), "connect4", "pin", f"{bpffs}/guard")
    created = in_process("-j", "link", "create", pinned("connect4"), *group)
    tasks, guard = link_of(bpffs / "tasks"), link_of(bpffs / "guard")
    expected = {
        "id": guard.id,
        "type": "cgroup",
        "prog_id": guard.prog_id,
        "cgroup_id": cgroup.stat().st_ino,
        "attach_type": "cgroup_inet4_connect",
        "cgroup_path": f"/{cgroup.name}",
        "prog_name": "allow_connect",
        "attached_to": f"connect4 on /{cgroup.name}",
        "pinned": [f"{bpffs}/guard"],
    }
    # The command holds the link itself while it shows it, and counts itself out.
    assert (created.status, created.json) == (0, expected)
    listed = {record["id"]: record for record in in_process("-j", "link", "show").json}
    assert listed[guard.id] == expected
    assert listed[tasks.id]["attached_to"] == "task (all tasks)"
    assert in_process("-j", "link", "show", f"{bpffs}/guard").json == expected
    theirs = {record["id"]: record for record in bpftool("-f", "link", "show")}
    for number in (guard.id, tasks.id):
        common = listed[number].keys() & theirs[number].keys() - {"pids"}
        assert {key: listed[number][key] for key in common} == {
            key: theirs[number][key] for key in common
        }
        assert theirs[number].keys() - {"pids"} <= listed[number].keys()
    rows = [line.split() for line in in_process("link", "show").out.splitlines()]
    assert rows[0] == ["ID", "TYPE", "PROGRAM", "ATTACHED", "TO", "PINNED", "HELD", "BY"]
    assert [str(guard.id), "cgroup", str(guard.prog_id), "allow_connect", "connect4", "on",
            f"/{cgroup.name}", f"{bpffs}/guard", "-"] in rows  # fmt: skip


def test_detach(pinned: Callable[[str], str], bpffs: Path, cgroup: Path) -> None:
    path = f"{bpffs}/guard"
    in_process(
        "link", "create", pinned("connect4"), "cgroup", str(cgroup), "connect4", "--pin", path
    )
    assert in_process("-j", "link", "detach", "pinned", path) == Done(0, "null\n", "")
    shown = in_process("-j", "link", "show", path).json
    assert (shown["cgroup_id"], shown["attached_to"]) == (0, "detached (was connect4)")


def test_detach_by_force_is_not_for_every_kind(pinned: Callable[[str], str], bpffs: Path) -> None:
    path = f"{bpffs}/link"
    in_process("link", "create", pinned("raw_tp"), "raw_tp", "sched_process_exec", "--pin", path)
    done = in_process("-j", "link", "detach", path)
    error = done.json["error"]
    assert (done.status, error["code"]) == (1, "link-detach-unsupported")
    assert (error["operation"], error["errno"]) == ("link-detach", "EOPNOTSUPP")
    assert f"pinned at {path}" in error["evidence"]


@pytest.fixture
def guards(bpffs: Path, data: Path) -> list[str]:
    """Load the same program three times."""
    places = [f"{bpffs}/guard{number}" for number in range(3)]
    for place in places:
        assert in_process("prog", "load", f"{data}/connect4.bpf.o", place) == Done(0, "", "")
    return places


def test_update(guards: list[str], bpffs: Path, cgroup: Path) -> None:
    """The link runs another program, if it runs the one that is expected."""
    link = f"{bpffs}/link"
    in_process("link", "create", guards[0], "cgroup", str(cgroup), "connect4", "--pin", link)
    assert in_process("link", "update", link, guards[1]) == Done(0, "", "")
    assert link_of(link).prog_id == prog_id(guards[1])
    again = in_process("-j", "link", "update", link, guards[2], "old", "pinned", guards[1])
    assert again == Done(0, "null\n", "")
    assert link_of(link).prog_id == prog_id(guards[2])
    stale = in_process("-j", "link", "update", link, guards[0], "old", guards[1])
    error = stale.json["error"]
    assert (stale.status, error["code"]) in [
        (1, "link-update-other-program"),
        (4, "link-update-other-program"),
    ]
    assert f"link {link_of(link).id} runs program {prog_id(guards[2])}" in error["evidence"]
    assert link_of(link).prog_id == prog_id(guards[2])


def test_update_is_not_for_every_kind_and_program(
    guards: list[str], pinned: Callable[[str], str], bpffs: Path, cgroup: Path
) -> None:
    link, raw = f"{bpffs}/link", pinned("raw_tp")
    in_process("link", "create", guards[0], "cgroup", str(cgroup), "connect4", "--pin", link)
    other = in_process("-j", "link", "update", link, raw).json["error"]
    assert (other["code"], other["errno"]) == ("syscall-failed", "EINVAL")
    assert f"runs program {prog_id(guards[0])}" in other["evidence"][0]
    fixed = f"{bpffs}/fixed"
    in_process("link", "create", raw, "raw_tp", "sched_process_exec", "--pin", fixed)
    error = in_process("-j", "link", "update", fixed, raw).json["error"]
    assert (error["code"], error["operation"]) == ("link-update-unsupported", "link-update")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param("", "which link?", id="nothing"),
        pytest.param("7", "which program?", id="no program"),
        pytest.param("7 8 new 9", '"new" is one word too many', id="no such word"),
        pytest.param("7 8 old", "which program?", id="no old program"),
    ],
)
def test_update_wants(words: str, text: str) -> None:
    done = in_process("link", "update", *words.split())
    assert done.status == 2
    assert text in done.err


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        pytest.param("", 2, "which program?", id="nothing"),
        pytest.param("{prog} raw_tp sched_process_exec", 2, "say what keeps it", id="no pin"),
        pytest.param(
            "{prog} raw_tp x --pin {bpffs}/l --hold", 2, "a pinned link needs no --hold", id="both"
        ),
        pytest.param(
            "{prog} --pin {bpffs}/l", 2, "does not say what to attach it to", id="no target"
        ),
        pytest.param(
            "{prog} raw_tp sched_swich --pin {bpffs}/l", 3, "no raw tracepoint", id="name"
        ),
        pytest.param("{prog} xdp dev nope --pin {bpffs}/l", 3, "no interface nope", id="interface"),
        pytest.param(
            "{prog} xdp dev lo --pin {bpffs}/l", 2, "takes programs of type xdp", id="type"
        ),
        pytest.param(
            "{prog} raw_tp sched_process_exec --pin /nowhere/l",
            1,
            "there is no directory /nowhere",
            id="pin",
        ),
        pytest.param("{prog} raw_tp x --hlod", 2, "unknown option --hlod", id="option"),
        pytest.param("4294967295 raw_tp x --pin {bpffs}/l", 3, "no program has id", id="program"),
    ],
)
def test_a_failed_command_leaves_nothing(
    words: str, status: int, text: str, pinned: Callable[[str], str], bpffs: Path
) -> None:
    prog = pinned("raw_tp")
    done = in_process("link", "create", *words.format(prog=prog, bpffs=bpffs).split())
    assert (done.status, done.out) == (status, "")
    assert text in done.err
    assert not (bpffs / "l").exists()
    assert not [info for info in links() if info.prog_id == prog_id(prog)]


def prog_id(path: str) -> int:
    kind, fd = open_pin(path)
    with fd:
        return id_of(kind, fd)


@pytest.mark.shared
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "TERM"])
def test_hold(number: signal.Signals, pinned: Callable[[str], str]) -> None:
    """Who holds a link is shown; and the link goes with its holder."""
    prog = pinned("raw_tp")
    command = (*PROGRAM, "-j", "link", "create", prog, "raw_tp", "sched_process_exec", "--hold")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            record = json.loads(process.stdout.readline())
            words = process.stderr.readline()
            assert words == f"link {record['id']}: sched_process_exec: attached until Ctrl-C\n"
            shown = in_process("-j", "link", "show", "id", str(record["id"])).json
            (holder,) = shown["pids"]
            assert holder["pid"] == process.pid
            plain = in_process("link", "show", str(record["id"])).out
            assert f"{holder['comm']}[{process.pid}] fd {holder['fd']}\n" in plain
            process.send_signal(number)
            assert process.wait(10) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
    assert record["id"] not in [info.id for info in links()]


def test_no_such_link() -> None:
    done = in_process("link", "show", "id", "4294967295")
    assert done == Done(3, "", "bpfctl: no link has id 4294967295\n")


def inside(netns: NetNs, *words: str) -> Any:
    """Run bpfctl in a network namespace, and return its JSON."""
    printed = netns.run(sys.executable, "-m", "bpfctl", "-j", *words)
    return json.loads(printed) if printed.strip() else None


@pytest.mark.parametrize(
    ("words", "mode"),
    [
        pytest.param(("xdp", "dev", "va0"), "driver", id="kernel chooses"),
        pytest.param(("xdp", "dev", "va0", "generic"), "generic", id="generic"),
        pytest.param(("xdpdrv", "dev", "va0"), "driver", id="driver as bpftool"),
    ],
)
def test_xdp(
    words: tuple[str, ...], mode: str, pinned: Callable[[str], str], bpffs: Path, netns: NetNs
) -> None:
    path = f"{bpffs}/link"
    shown = inside(netns, "link", "create", pinned("xdp_pass"), *words, "--pin", path)
    index = shown["ifindex"]
    assert shown["attached_to"] == f"va0 (ifindex {index}, {mode} mode)"
    assert (shown["devname"], shown["mode"]) == ("va0", mode)
    # From outside the index means another interface, or none.
    here = in_process("-j", "link", "show", path).json
    assert here["attached_to"] == f"ifindex {index} (in another network namespace)"
    assert here["devname"] == "(unknown)"
    assert inside(netns, "link", "detach", path) is None
    assert in_process("-j", "link", "show", path).json["attached_to"] == "detached"


def test_xdp_where_it_is_already(pinned: Callable[[str], str], bpffs: Path, netns: NetNs) -> None:
    prog = pinned("xdp_pass")
    first = inside(netns, "link", "create", prog, "xdp", "dev", "va0", "--pin", f"{bpffs}/a")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        inside(netns, "link", "create", prog, "xdp", "dev", "va0", "--pin", f"{bpffs}/b")
    error = json.loads(caught.value.stdout)["error"]
    assert (error["code"], error["errno"]) == ("xdp-busy", "EBUSY")
    assert error["evidence"] == [
        f"program {first['prog_id']} pass in driver mode, by link {first['id']}",
        f"link {first['id']} is pinned at {bpffs}/a",
    ]
    assert not (bpffs / "b").exists()


@needs.TCX
def test_tcx(pinned: Callable[[str], str], bpffs: Path, netns: NetNs) -> None:
    ingress, egress = pinned("tcx_pass"), f"{bpffs}/tcx_pass/pass_out"
    first = inside(
        netns, "link", "create", ingress, "tcx", "ingress", "dev", "va0", "--pin", f"{bpffs}/a"
    )
    index = first["ifindex"]
    assert first["attached_to"] == f"va0 ingress (ifindex {index})"
    assert (first["type"], first["attach_type"]) == ("tcx", "tcx_ingress")
    place = ("before", "link", str(first["id"]))
    second = inside(
        netns, "link", "create", egress, "tcx_ingress", "dev", "va0", *place,
        "--pin", f"{bpffs}/b",
    )  # fmt: skip
    assert second["attached_to"] == f"va0 ingress (ifindex {index})"
    assert order(netns, index) == [second["id"], first["id"]]
    here = in_process("-j", "link", "show", f"{bpffs}/a").json
    assert here["attached_to"] == f"ifindex {index} ingress (in another network namespace)"
    netns.run("ip", "link", "del", "va0")
    gone = in_process("-j", "link", "show", f"{bpffs}/a").json
    assert (gone["attached_to"], gone["devname"]) == ("detached (was ingress)", "(detached)")


ORDER = """
import struct, sys
from bpfctl.kernel.attr import prog_query
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.uapi import AttachType

links = bytearray(256)
query = prog_query(
    attach_type=AttachType.TCX_INGRESS,
    target_ifindex=int(sys.argv[1]),
    prog_ids=bytearray(256),
    link_ids=links,
)
bpf(query)
print(list(struct.unpack("64I", links)[: query.count]))
"""


def order(netns: NetNs, index: int) -> list[int]:
    """Return the links of an interface in the order they run."""
    found: list[int] = json.loads(netns.run(sys.executable, "-c", ORDER, str(index)))
    return found


@needs.TASK_ITER
def test_an_iterator_over_one_process(pinned: Callable[[str], str], bpffs: Path) -> None:
    path, own = f"{bpffs}/link", str(os.getpid())
    in_process("link", "create", pinned("iter_task"), "iter", "pid", own, "--pin", path)
    shown = in_process("-j", "link", "show", path).json
    assert (shown["target_name"], shown["pid"]) == ("task", os.getpid())
    assert shown["attached_to"] == f"task (pid {own})"


@needs.TASK_ITER
def test_an_iterator_over_the_process_of_a_descriptor(
    pinned: Callable[[str], str], bpffs: Path
) -> None:
    path, pidfd = f"{bpffs}/link", os.pidfd_open(os.getpid())
    try:
        words = ("iter", "pidfd", str(pidfd), "--pin", path)
        assert in_process("link", "create", pinned("iter_task"), *words) == Done(0, "", "")
    finally:
        os.close(pidfd)
    shown = in_process("-j", "link", "show", path).json
    assert (shown["target_name"], shown["pid"]) == ("task", os.getpid())


@needs.CGROUP_ITER
def test_an_iterator_over_a_cgroup_by_its_id(
    pinned: Callable[[str], str], bpffs: Path, cgroup: Path
) -> None:
    path, number = f"{bpffs}/link", cgroup.stat().st_ino
    words = ("iter", "cgroup", "id", str(number), "order", "self_only", "--pin", path)
    assert in_process("link", "create", pinned("iter_cgroup"), *words) == Done(0, "", "")
    shown = in_process("-j", "link", "show", path).json
    assert (shown["cgroup_id"], shown["order"]) == (number, "self_only")


def test_an_iterator_over_a_map(pinned: Callable[[str], str], bpffs: Path) -> None:
    prog = pinned("iter_map_elem")
    kind, fd = open_pin(prog)
    assert kind is ObjectKind.PROG
    with fd:
        (map_id,) = prog_info(fd).map_ids
    done = in_process(
        "link", "create", prog, "iter", "map", "id", str(map_id), "--pin", f"{bpffs}/link"
    )
    assert done == Done(0, "", "")
    info = link_of(bpffs / "link")
    assert (info.type, info.to_json()["map_id"]) == (LinkType.ITER, map_id)


@pytest.mark.shared
def test_listing_survives_links_that_vanish() -> None:
    """Another process makes and closes links as fast as it can."""
    with subprocess.Popen(
        [sys.executable, "-c", CHURN], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for _ in range(100):
                done = in_process("-j", "link", "show")
                assert (done.status, done.err) == (0, "")
                assert isinstance(done.json, list)
            assert process.poll() is None
        finally:
            process.kill()


# A program for each link: before Linux 6.10 a program is on a raw tracepoint once at most.
CHURN = """
from bpfctl.kernel.attr import prog_load, raw_tracepoint_open
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import ProgType

code = bytes.fromhex("b700000000000000" "9500000000000000")
print("ready", flush=True)
while True:
    request = prog_load(prog_type=ProgType.RAW_TRACEPOINT, insns=code, license="GPL", name="churn")
    progs = [bpf_fd(request) for _ in range(8)]
    opened = [bpf_fd(raw_tracepoint_open("sched_process_exec", prog)) for prog in progs]
    for fd in progs + opened:
        fd.close()
"""
