"""`bpfctl demo`: it shows what it promises, and leaves nothing behind however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

DEMO = [sys.executable, "-m", "bpfctl", "demo"]


def demo_directories() -> list[str]:
    """Return what demos have left on any bpffs that this process sees."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    found = (Path(words[1]).glob("bpfctl-demo*") for words in mounts if words[2] == "bpf")
    return sorted(str(path) for paths in found for path in paths)


def own_namespace(*commands: str) -> list[str]:
    """Return a command line that runs commands with a private view of the mounts."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", "; ".join(commands)]


@pytest.mark.usefixtures("bpffs_mount")
def test_it_shows_links_the_iterator_and_the_map() -> None:
    before = demo_directories()
    done = subprocess.run(DEMO, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "$ bpfctl prog loadall ",
        "$ bpfctl link create ",
        "$ bpfctl link show\n",
        " sched_process_exec ",
        " task (all tasks) ",
        "    TGID      PID  COMM\n",
        "$ bpfctl map dump pinned ",
        '"comm": "true"}',
        "\nRemoved ",
    ):
        assert words in done.stdout
    assert demo_directories() == before


@pytest.mark.shared
@pytest.mark.usefixtures("bpffs_mount")
def test_json_has_each_step() -> None:
    done = subprocess.run([*DEMO, "-j"], check=True, capture_output=True, text=True)
    steps = json.loads(done.stdout)["steps"]
    assert [step["command"].split()[0] for step in steps] == [
        *["bpfctl"] * 4,
        "cat",
        "true",
        "bpfctl",
    ]
    assert all(step["why"] for step in steps)


@pytest.mark.shared
def test_without_a_bpffs_it_mounts_one_that_nobody_else_sees(tool: Callable[[str], str]) -> None:
    tool("unshare")
    unmount = "for p in $(awk '$3 == \"bpf\" {print $2}' /proc/self/mounts); do umount $p; done"
    script = own_namespace(unmount, f"{sys.executable} -m bpfctl demo", "cat /proc/self/mounts")
    before = Path("/proc/self/mounts").read_text()
    done = subprocess.run(script, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    shown, _, mounts = done.stdout.partition("\nRemoved /sys/fs/bpf/bpfctl-demo ")
    assert "that only this demo sees" in shown
    assert " bpf " not in mounts
    assert Path("/proc/self/mounts").read_text() == before


@pytest.mark.shared
@pytest.mark.usefixtures("bpffs_mount")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_leaves_nothing(number: signal.Signals) -> None:
    before = demo_directories()
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, text=True, start_new_session=True) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("$ bpfctl link show"):
                break
        assert demo_directories() != before, "nothing was there to be removed"
        os.killpg(demo.pid, number)
        demo.stdout.read()
    assert demo.returncode == 128 + number
    assert demo_directories() == before


@pytest.mark.shared
def test_a_user_without_rights_is_told(tool: Callable[[str], str]) -> None:
    tool("setpriv")
    # Root without capabilities: a user of another name might not be able to read this checkout.
    powerless = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    done = subprocess.run([*powerless, *DEMO], check=False, capture_output=True, text=True)
    assert done.returncode == 4
    assert done.stderr.startswith("bpfctl: ")
    assert "Traceback" not in done.stderr
