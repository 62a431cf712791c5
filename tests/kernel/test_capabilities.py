"""Every command with every set of capabilities: what the manual's table says is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bpfctl.commands.main import build
from bpfctl.commands.status import Status
from bpfctl.commands.tree import walk

from bpfctl.linux.security import perf_event_paranoid
from bpfctl.linux.version import kernel_version, parse_release
from tests.builders.usdt import program
from tests.kernel import needs
from tests.kernel.conftest import remove_tree
from tests.kernel.powers import EVERY, Ran, named, pinned_below, run_with
from tests.kernel.test_attach_net import MAKE_NETKIT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tests.kernel.conftest import NetNs

TABLE: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[2] / "man" / "capabilities.toml").read_text()
)
ADMIN = "CAP_SYS_ADMIN"
NET_ADMIN = "CAP_NET_ADMIN"
LACKS = re.compile("this process lacks ([A-Z_, ]+)")
USUAL = frozenset({"CAP_BPF", "CAP_PERFMON", NET_ADMIN})
GIVEN = (
    frozenset[str](),
    frozenset({"CAP_BPF"}),
    frozenset({"CAP_BPF", "CAP_PERFMON"}),
    frozenset({"CAP_BPF", NET_ADMIN}),
)
ROWS = [
    pytest.param(
        row,
        id=f"{row['verb']} {row.get('of', '')}".rstrip(),
        marks=[getattr(needs, name) for name in row.get("kernel", ())],
    )
    for row in TABLE["row"]
]


@dataclass(frozen=True)
class Place:
    """Where a row works: in a directory of a bpffs, on a cgroup, in a network namespace."""

    pins: Path
    cgroup: Path | None
    space: NetNs | None
    data: Path
    tracefs: Path | None
    probed: Path

    def run(self, held: Collection[int], line: str) -> Ran:
        names = {
            "pins": self.pins,
            "cgroup": self.cgroup,
            "device": self.space and self.space.device,
            "data": self.data,
            "libc": c_library(),
            "probed": self.probed,
        }
        return run_with(
            held, [word.format(**names) for word in line.split()], self.space, self.tracefs
        )


def c_library() -> str:
    lines = Path("/proc/self/maps").read_text().splitlines()
    return next(line.split()[-1] for line in lines if "/libc.so." in line)


@pytest.fixture
def place(
    row: dict[str, Any], bpffs: Path, data: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Place:
    """Make what the words of a row mention, and no more."""
    words = " ".join((row["run"], *row.get("before", ())))
    cgroup = request.getfixturevalue("cgroup") if "{cgroup}" in words else None
    inside = row.get("netns") or "{device}" in words
    space = request.getfixturevalue("netns") if inside else None
    if space and " netkit " in words:
        space.run(sys.executable, "-c", MAKE_NETKIT)
    probed = tmp_path / "probed"
    if "{probed}" in words:
        probed.write_bytes(program())
    return Place(bpffs, cgroup, space, data, tmp_path if row.get("tracefs") else None, probed)


def needed(row: dict[str, Any]) -> frozenset[str]:
    """Return what a row needs on this kernel."""
    paranoid = (perf_event_paranoid() or 0) > 2
    found = row.get("paranoid", row["needs"]) if paranoid else row["needs"]
    general = TABLE["every_call"]
    is_older = kernel_version() < parse_release(general["before"])
    if row.get("calls", True) and is_older and unprivileged_refused():
        return frozenset((*found, *general["needs"]))
    return frozenset(found)


def unprivileged_refused() -> bool:
    return Path("/proc/sys/kernel/unprivileged_bpf_disabled").read_text().strip() != "0"


def missing(row: dict[str, Any], held: frozenset[str]) -> frozenset[str]:
    """Return what a row needs and a set does not have; CAP_SYS_ADMIN stands in for the others."""
    lacking = needed(row) - held
    if ADMIN not in held:
        return lacking
    strict = "alone" in row and kernel_version() < parse_release(row["alone"])
    return lacking & {NET_ADMIN} if strict else frozenset()


def test_every_command_has_a_row() -> None:
    nodes = [node for node in walk(build()) if not node.children]
    assert sorted({row["verb"] for row in TABLE["row"]}) == sorted(
        " ".join(node.path[1:]) for node in nodes
    )


def sets(row: dict[str, Any]) -> list[frozenset[str]]:
    """Return the sets to try: those that people give, and those that tell what is needed.

    The latter are what is needed, and everything usual but one of it.
    """
    wanted = needed(row)
    short = [(USUAL | wanted - {ADMIN}) - {one} for one in sorted(wanted)]
    return list(dict.fromkeys([*GIVEN, *short, wanted, frozenset({ADMIN})]))


@pytest.mark.shared
@pytest.mark.parametrize("row", ROWS)
def test_row(row: dict[str, Any], place: Place) -> None:
    expected, seen = {}, {}
    for held in sets(row):
        name = "+".join(sorted(held)) or "none"
        lacking = missing(row, held)
        expected[name] = "names what is missing" if lacking else "works"
        seen[name] = outcome(row, place, held, lacking)
    assert seen == expected


def outcome(
    row: dict[str, Any], place: Place, held: frozenset[str], lacking: frozenset[str]
) -> str:
    for line in row.get("before", ()):
        made = place.run(EVERY, line)
        assert made.status == Status.DONE, (line, made)
    before = pinned_below(place.pins)
    ran = place.run(named(held), row["run"])
    after = pinned_below(place.pins)
    empty(place.pins)
    for line in row.get("after", ()):
        place.run(EVERY, line)
    if ran.status == Status.DONE:
        return "works"
    if after != before:
        return f"left {sorted({*after} - {*before})}"
    told = names_in(ran)
    named_well = told and told <= lacking
    return (
        "names what is missing" if ran.status == Status.NOT_PERMITTED and named_well else repr(ran)
    )


def names_in(ran: Ran) -> frozenset[str]:
    """Return the capabilities that an error says are lacking; `demo` speaks to people only."""
    found = LACKS.search(ran.written + ran.said)
    return frozenset(found[1].split(", ")) if found else frozenset()


def empty(place: Path) -> None:
    remove_tree(place)
    place.mkdir()


@pytest.mark.parametrize(
    "command",
    ["prog show pinned {}/p", "map show pinned {}/m/counters", "map dump pinned {}/m/counters"],
)
def test_what_may_be_read_is_shown(command: str, bpffs: Path, data: Path) -> None:
    load = f"prog load {data}/maps.bpf.o {bpffs}/p pinmaps {bpffs}/m"
    assert run_with(EVERY, load.split()).status == Status.DONE
    for pin in (bpffs / "p", bpffs / "m" / "counters"):
        pin.chmod(0o400)
    ran = run_with(named(TABLE["every_call"]["needs"]), command.format(bpffs).split())
    assert (ran.status, ran.said) == (Status.DONE, "")


def test_pins_go_without_the_right_to_look_at_what_stays(bpffs: Path, data: Path) -> None:
    load = f"prog loadall {data}/maps.bpf.o {bpffs}/d"
    assert run_with(EVERY, load.split()).status == Status.DONE
    ran = run_with(named(TABLE["every_call"]["needs"]), ["prog", "unload", f"{bpffs}/d"])
    assert (ran.status, pinned_below(bpffs)) == (Status.DONE, [])
    assert "that takes CAP_SYS_ADMIN" in ran.said


def test_an_unprivileged_process_is_the_same(tool: Callable[[str], str]) -> None:
    """What our children give up is what a program without capabilities lacks."""
    tool("setpriv")
    outside = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    words = [sys.executable, "-m", "bpfctl", "-j", "--nomount", "prog", "show"]
    done = subprocess.run([*outside, *words], check=False, capture_output=True, text=True)
    assert Ran(done.returncode, done.stdout, done.stderr) == run_with((), ["prog", "show"])


def test_a_link_is_shown_without_the_name_of_its_program(bpffs: Path, data: Path) -> None:
    for line in (
        f"prog load {data}/raw_tp.bpf.o {bpffs}/p",
        f"link create pinned {bpffs}/p raw_tracepoint sys_enter --pin {bpffs}/l",
    ):
        assert run_with(EVERY, line.split()).status == Status.DONE
    ran = run_with(named(["CAP_BPF"]), ["link", "show", "pinned", f"{bpffs}/l"])
    assert ran.status == Status.DONE
    assert "prog_name" not in ran.written
    assert "the names of programs could not be read: that takes CAP_SYS_ADMIN" in ran.said
