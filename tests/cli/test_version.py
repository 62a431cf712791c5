"""`version`, and the places where a global option may stand."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version

import pytest

from tests.cli.runner import run

SYSTEM = os.uname()
WHOLE = {
    "version": version("bpfctl"),
    "python": platform.python_version(),
    "kernel": SYSTEM.release,
    "machine": SYSTEM.machine,
    "features": {"libbfd": False, "libbpf_strict": True, "skeletons": False},
}
COMPACT = json.dumps(WHOLE, separators=(",", ":")) + "\n"
PRETTY = json.dumps(WHOLE, indent=4) + "\n"


@pytest.mark.parametrize("words", [["version"], ["-V"], ["--version"], ["prog", "show", "-V"]])
def test_plain(words: list[str]) -> None:
    done = run(*words)
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        f"bpfctl  {WHOLE['version']}\n"
        f"python  {WHOLE['python']}\n"
        f"kernel  {WHOLE['kernel']} {WHOLE['machine']}\n"
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["-j", "version"], COMPACT, id="before"),
        pytest.param(["version", "-j"], COMPACT, id="after"),
        pytest.param(["--json", "version"], COMPACT, id="long"),
        pytest.param(["-Vj"], COMPACT, id="together"),
        pytest.param(["version", "-o", "json"], COMPACT, id="format"),
        pytest.param(["version", "-ojsonl"], COMPACT, id="attached"),
        pytest.param(["version", "--output=json"], COMPACT, id="long-format"),
        pytest.param(["-p", "version"], PRETTY, id="pretty"),
        pytest.param(["-jp", "version"], PRETTY, id="both"),
        pytest.param(["-jnfpo", "table", "version"], PRETTY, id="all"),
    ],
)
def test_json(words: list[str], expected: str) -> None:
    done = run(*words)
    assert (done.status, done.out, done.err) == (0, expected, "")


def test_options_end_at_two_dashes() -> None:
    done = run("version", "--", "-j")
    assert (done.status, done.out) == (2, "")
