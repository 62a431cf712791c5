"""Where the time of one `prog loadall` goes: a program of its own, run by `loadall --profile`.

It runs the command in this process with a clock around each import and a few functions, and
prints the milliseconds of each phase as JSON. A phase inside of another is taken out of it. It
imports nothing that the command might import later.
"""

from __future__ import annotations

import builtins
import sys
from time import perf_counter
from typing import Any

LIBRARIES = {"typer": "import typer"}
OUR_IMPORTS = "import bpfctl"
REST = "all else"
# Phase, module, and the function in it whose run is the phase.
FUNCTIONS = (
    ("read the object", "bpfctl.elf.reader", "read_object"),
    ("kernel's types", "bpfctl.objects.btf", "read_kernel_btf"),
    ("CO-RE", "bpfctl.loader.core", "FittedCode._fit"),
    ("kernel calls", "bpfctl.kernel.bpf", "_enter"),
)


class Clock:
    """Charges the time that passes to the innermost phase."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._open = [REST]
        self._since = perf_counter()

    def enter(self, phase: str) -> None:
        self._charge()
        self._open.append(phase)

    def leave(self) -> None:
        self._charge()
        self._open.pop()

    @property
    def phase(self) -> str:
        return self._open[-1]

    def _charge(self) -> None:
        now = perf_counter()
        self.spent[self.phase] = self.spent.get(self.phase, 0.0) + (now - self._since) * 1000
        self._since = now


def watch_imports(clock: Clock) -> None:
    """Charge imports to the library that wants them, and put the clock around our functions."""
    real = builtins.__import__
    waiting = list(FUNCTIONS)

    def importing(name: str, *words: Any, **more: Any) -> Any:
        if name in sys.modules:  # as most are: a clock around these would be the larger part
            return real(name, *words, **more)
        phase = LIBRARIES.get(name.partition(".")[0], OUR_IMPORTS)
        clock.enter(clock.phase if clock.phase in LIBRARIES.values() else phase)
        try:
            return real(name, *words, **more)
        finally:
            for one in [one for one in waiting if hasattr(sys.modules.get(one[1]), outer(one))]:
                waiting.remove(one)
                watch_function(clock, *one)
            clock.leave()

    builtins.__import__ = importing


def outer(one: tuple[str, str, str]) -> str:
    return one[2].partition(".")[0]


def watch_function(clock: Clock, phase: str, module: str, path: str) -> None:
    owner: Any = sys.modules[module]
    *classes, name = path.split(".")
    for part in classes:
        owner = getattr(owner, part)
    real = getattr(owner, name)

    def timed(*words: Any, **more: Any) -> Any:
        clock.enter(phase)
        try:
            return real(*words, **more)
        finally:
            clock.leave()

    setattr(owner, name, timed)


def main(words: list[str]) -> int:
    clock = Clock()
    watch_imports(clock)
    from bpfctl.commands.main import main as run

    status: int = run(words)
    clock.enter(REST)
    import json

    print(json.dumps(clock.spent))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
