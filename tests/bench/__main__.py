"""All benchmarks, one after another: `python -m tests.bench` as root."""

from __future__ import annotations

import subprocess
import sys

BENCHES = ("start_up", "check", "loadall", "map_dump", "btf_dump", "feature_probe")

sys.exit(
    max(
        subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode
        for name in BENCHES
    )
)
