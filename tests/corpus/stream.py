"""Verdicts as lines of text, which leave a machine as they come: one that dies takes few along."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

BEGIN, VERDICT = b"tests.corpus begin ", b"tests.corpus verdict "


def say_begin(name: str) -> None:
    """Tell what is judged from now on."""
    _say(BEGIN + name.encode())


def say(verdict: dict[str, Any]) -> None:
    """Tell a verdict."""
    _say(VERDICT + json.dumps(verdict).encode())


def _say(line: bytes) -> None:
    """Write a line at once: a terminal does not mix what several processes write."""
    os.write(1, line + b"\n")


class Listener:
    """Takes what a machine writes: verdicts go to the end of a file, other lines to the terminal.

    `begun` are the names of what was begun and has no verdict yet, `judged` of what has one.
    """

    def __init__(self, results: Path) -> None:
        self._results = results
        self._rest = b""
        self.begun: set[str] = set()
        self.judged: set[str] = set()

    def write(self, data: bytes) -> int:
        """Take some more bytes, whole lines or not."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line.rstrip(b"\r"))
        return len(data)

    def flush(self) -> None:
        """Do nothing: each line is written when it is complete."""

    def _line(self, line: bytes) -> None:
        if line.startswith(BEGIN):
            self.begun.add(line.removeprefix(BEGIN).decode())
        elif line.startswith(VERDICT):
            self._keep(json.loads(line.removeprefix(VERDICT)))
        else:
            print(line.decode(errors="replace"), file=sys.stderr, flush=True)

    def _keep(self, verdict: dict[str, Any]) -> None:
        add(self._results, verdict)
        self.judged.add(verdict["object"])
        self.begun.discard(verdict["object"])


def add(results: Path, verdict: dict[str, Any]) -> None:
    """Write a verdict to the end of a file of results: the last one of an object counts."""
    with results.open("a") as file:
        file.write(f"{json.dumps(verdict)}\n")
