"""The corpus on a kernel in a machine: verdicts are kept as they come, and what is left is resumed.

What was under way when a machine died is tried again at the end, one by one; what kills it then is
to blame for it.
"""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, NamedTuple

from tests.corpus import loaders, places, stream
from tests.vm import machine
from tests.vm.cache import cache
from tests.vm.errors import VmError

if TYPE_CHECKING:
    from pathlib import Path

DRIVE = "/run/drive"  # where a machine has the corpus


class Asked(NamedTuple):
    """What to do there: `limit_s` is for each subject, `machine_s` for a machine's whole life."""

    series: str
    results: Path
    limit_s: float
    machine_s: float
    believe: bool = False


class Batch(NamedTuple):
    """What is judged by how many processes at once."""

    names: list[str]
    processes: int


def run(names: list[str], asked: Asked) -> list[str]:
    """Judge subjects by their names; return those that the time did not suffice for.

    Raises: VmError when machines do not get anything done.
    """
    left = names
    suspects: list[str] = []
    while left or suspects:
        alone = not left
        batch = Batch(suspects if alone else left, 1 if alone else 2)
        heard, ended = _once(batch, asked)
        undone = [name for name in batch.names if name not in heard.judged]
        if ended.status == machine.TIMED_OUT:
            return undone + ([] if alone else suspects)
        if ended.status != 0 and not heard.begun | heard.judged:
            raise VmError(f"Linux {asked.series} got nothing done: {ended.complaint}")
        if alone:
            _blame(heard.begun, ended, asked.results)
            suspects = [name for name in undone if name not in heard.begun]
        else:
            suspects += sorted(heard.begun)
            left = [name for name in undone if name not in heard.begun]
    return []


def _once(batch: Batch, asked: Asked) -> tuple[stream.Listener, machine.Ended]:
    wanted = places.corpus() / f"wanted-{asked.series}"
    wanted.write_text("\n".join(batch.names))
    words = [
        *("python", "-m", "tests.corpus", "run", "--stream", "--names", f"{DRIVE}/{wanted.name}"),
        *("--processes", str(batch.processes), "--limit", str(asked.limit_s)),
    ]
    if asked.believe:
        words += ["--believe", "--before", f"{DRIVE}/{asked.results.name}"]
    job = machine.Job(
        asked.series,
        f"{places.VARIABLE}={DRIVE} {shlex.join(words)}",
        cache() / "results" / f"corpus-{asked.series}",
        asked.machine_s,
        drive=places.corpus(),
    )
    heard = stream.Listener(asked.results)
    ended = machine.run(job, heard)
    print(f"Linux {asked.series}: {len(heard.judged)} judged, {ended.complaint or 'all'}")
    sys.stdout.flush()
    return heard, ended


def _blame(names: set[str], ended: machine.Ended, results: Path) -> None:
    """Record what a machine died of, as if both loaders had: nobody knows which one did it."""
    for name in names:
        died = {"outcome": loaders.DIED, "code": "machine", "text": ended.complaint[-1500:]}
        answer = {**died, "seconds": 0.0, "loads": [], "programs": []}
        stream.add(results, {"object": name, "bpfctl": answer, "bpftool": answer})
