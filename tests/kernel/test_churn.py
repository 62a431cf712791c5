"""Listing while objects come and go beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.runner import in_process

if TYPE_CHECKING:
    from collections.abc import Iterator

# A program for each link: before Linux 6.10 a program is on a raw tracepoint once at most, and it
# still is for a moment after the link was closed.
CHURN = """
import time
from bpfctl.kernel.attr import map_create, prog_load, raw_tracepoint_open
from bpfctl.kernel.bpf import bpf_fd, try_bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import MapType, ProgType
code = bytes.fromhex("b700000000000000" "9500000000000000")
sizes = {"key_size": 4, "value_size": 4, "max_entries": 1}
request = prog_load(prog_type=ProgType.RAW_TRACEPOINT, insns=code, license="GPL", name="churn")
attached = [bpf_fd(request) for _ in range(8)]
print("ready", flush=True)
while True:
    progs = [
        bpf_fd(prog_load(prog_type=ProgType.SOCKET_FILTER, insns=code, license="GPL", name="churn"))
        for _ in range(8)
    ]
    maps = [
        bpf_fd(map_create(map_type=MapType.ARRAY, name="churn", **sizes))
        for _ in range(8)
    ]
    tried = [try_bpf(raw_tracepoint_open("sched_process_exit", prog)) for prog in attached]
    links = [Fd(number) for number in tried if number >= 0]
    time.sleep(0.002)  # or a busy machine never sees the links
    for fd in progs + maps + links:
        fd.close()
"""


LEAST, MOST = 50, 300


@pytest.fixture
def churn(locked_memory: None) -> Iterator[None]:
    """Create and close programs, maps and links as fast as we can, in another process."""
    with subprocess.Popen(
        [sys.executable, "-c", CHURN], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        assert process.poll() is None, "the churning process ended by itself"
        os.kill(process.pid, signal.SIGKILL)


@pytest.mark.shared
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("noun", "key"), [("prog", "name"), ("map", "name"), ("link", "prog_name")]
)
@pytest.mark.usefixtures("churn")
def test_listing_survives_objects_that_vanish(noun: str, key: str) -> None:
    seen = tries = 0
    while tries < LEAST or (not seen and tries < MOST):
        tries += 1
        done = in_process("-j", noun, "show")
        assert (done.status, done.err) == (0, "")
        seen += any(record.get(key) == "churn" for record in done.json)
    assert seen > 0, "the churn was never visible, so nothing was tested"
