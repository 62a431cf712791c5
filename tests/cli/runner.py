"""Runs bpfctl as a person does and inside the test, and sees that both do the same."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

PROGRAM = (sys.executable, "-m", "bpfctl")


@dataclass(frozen=True)
class Done:
    """What a command line came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, read as one JSON document."""
        return json.loads(self.out)


def run(*words: str) -> Done:
    """Run a command line in this process and as a program, and return what both did."""
    inside, outside = in_process(*words), as_program(*words)
    assert inside == outside
    return outside


def in_process(*words: str) -> Done:
    """Run a command line in this process: faster, and coverage and fakes reach it."""
    from bpfctl.commands.main import main

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(list(words))
    return Done(int(status), out.getvalue(), err.getvalue())


def as_program(*words: str, **options: Any) -> Done:
    """Run a command line as a program of its own."""
    done = subprocess.run(
        [*PROGRAM, *words], check=False, capture_output=True, text=True, **options
    )
    return Done(done.returncode, done.stdout, done.stderr)
