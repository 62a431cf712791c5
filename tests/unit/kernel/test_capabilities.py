"""Giving up capabilities: in a process of its own, for it is for good."""

from __future__ import annotations

import subprocess
import sys

DROP = """
from bpfctl.kernel.capabilities import drop_capabilities
drop_capabilities()
drop_capabilities()
for line in open("/proc/self/status"):
    if line.startswith(("CapInh", "CapPrm", "CapEff")):
        print(int(line.split()[1], 16))
"""


def test_nothing_is_left() -> None:
    words = [sys.executable, "-c", DROP]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["0", "0", "0"]
