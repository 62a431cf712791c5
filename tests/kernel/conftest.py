"""Own places on the real kernel: a bpffs, cgroups and network devices that nobody else uses."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.linux.memlock import MemlockLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATA = Path(__file__).parent.parent / "data"
SHARE = "BPFCTL_TEST_SHARE"  # "2/4" in the third of four emulated machines, where all is slow


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let emulated machines take turns with long tests that are `shared`.

    Each of those runs on the machine that starts the others, and on one of them. What that one
    may lack, as the test has needs, runs on all.
    """
    number, _, machines = os.environ.get(SHARE, "").partition("/")
    if not machines:
        return
    shared = [
        item
        for item in items
        if item.get_closest_marker("shared") and not item.get_closest_marker("needs")
    ]
    left_out = {item.nodeid for at, item in enumerate(shared) if at % int(machines) != int(number)}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
    items[:] = [item for item in items if item.nodeid not in left_out]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test on a kernel that lacks what it needs; see `needs`."""
    for mark in item.iter_markers("needs"):
        (need,) = mark.args
        if need.complaint:
            pytest.skip(need.complaint)


@pytest.fixture
def locked_memory() -> Iterator[None]:
    """Lift the limit that counts maps made by a test itself before Linux 5.11."""
    limit = MemlockLimit()
    limit.lift()
    yield
    limit.restore()


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of compiled objects."""
    return DATA


@pytest.fixture(scope="session")
def bpffs_mount(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Mount a bpffs of our own, and take it away with all that is pinned in it."""
    place = tmp_path_factory.mktemp("bpffs")
    subprocess.run(["mount", "-t", "bpf", "bpfctl-test", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def bpffs(bpffs_mount: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return an empty directory on a bpffs; all below it is removed after the test."""
    place = bpffs_mount / f"t{abs(hash(request.node.nodeid)) % 10**10}"
    place.mkdir()
    yield place
    remove_tree(place)


def remove_tree(place: Path) -> None:
    """Unpin everything below a directory of a bpffs, and the directory."""
    for folder, _, files in os.walk(place, topdown=False):
        for name in files:
            (Path(folder) / name).unlink()
        Path(folder).rmdir()


@pytest.fixture
def cgroup(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a new cgroup of version 2 that holds no process."""
    root = next(
        Path(line.split()[1])
        for line in Path("/proc/self/mounts").read_text().splitlines()
        if line.split()[2] == "cgroup2"
    )
    place = root / f"bpfctl-test-{os.getpid()}-{abs(hash(request.node.nodeid)) % 10**8}"
    place.mkdir()
    yield place
    for folder, _, _ in os.walk(place, topdown=False):
        Path(folder).rmdir()


@dataclass(frozen=True)
class NetNs:
    """A network namespace with one end of a veth pair in it; the other end is `peer` there too."""

    name: str
    device: str
    peer: str

    def run(self, *command: str) -> str:
        """Run a command inside, and return what it printed."""
        return subprocess.run(
            ["ip", "netns", "exec", self.name, *command],
            check=True,
            capture_output=True,
            text=True,
        ).stdout


@pytest.fixture
def netns(request: pytest.FixtureRequest, tool: Callable[[str], str]) -> Iterator[NetNs]:
    """Make a network namespace with a veth pair, both ends up."""
    tool("ip")
    space = NetNs(f"bpfctl-{os.getpid()}-{abs(hash(request.node.nodeid)) % 10**6}", "va0", "va1")
    subprocess.run(["ip", "netns", "add", space.name], check=True)
    try:
        space.run("ip", "link", "add", space.device, "type", "veth", "peer", "name", space.peer)
        space.run("ip", "link", "set", space.device, "up")
        space.run("ip", "link", "set", space.peer, "up")
        yield space
    finally:
        subprocess.run(["ip", "netns", "del", space.name], check=True)


@pytest.fixture(scope="session")
def bpftool(tool: Callable[[str], str]) -> Callable[..., Any]:
    """Return a function that runs bpftool in JSON mode and returns what it printed, parsed."""
    path = tool("bpftool")

    def run(*words: str) -> Any:
        done = subprocess.run([path, "-j", *words], check=True, capture_output=True, text=True)
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run
