"""Every object of the corpus, loaded by both; the results as one line of JSON each."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from bpfctl.elf.reader import read_object
from bpfctl.errors import BpfctlError
from tests.corpus import loaders, places
from tests.corpus.own_bpffs import leave_the_mounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

PROCESSES = 2
TOOLS = ("bpfctl", "bpftool")
Verdict = dict[str, Any]


def objects(patterns: Iterable[str]) -> list[str]:
    """Return the names of the corpus's objects that contain one of the patterns; none: all."""
    place = places.objects()
    names = sorted(str(path.relative_to(place)) for path in place.rglob("*.o"))
    wanted = list(patterns)
    return [name for name in names if not wanted or any(one in name for one in wanted)]


def programs(names: Iterable[str], wholes: Mapping[str, Verdict]) -> Iterator[str]:
    """Yield OBJECT:PROGRAM for each program of objects that can be read.

    Left out are objects of which both loaded all programs, according to the results `wholes`.
    """
    for name in names:
        try:
            spec = read_object(str(places.objects() / name))
        except BpfctlError:
            continue
        counts = (len(wholes[name][tool]["programs"]) if name in wholes else 0 for tool in TOOLS)
        if any(count != len(spec.programs) for count in counts):
            yield from (f"{name}:{program.name}" for program in spec.programs)


def run(names: list[str], limit_s: float, known: Mapping[str, Verdict]) -> Iterator[Verdict]:
    """Judge objects or programs of them, several at once.

    What is known of bpftool from before is taken as it is.
    """
    leave = ProcessPoolExecutor(PROCESSES, get_context("fork"), _begin)
    with leave as pool:
        waiting = [pool.submit(_judge, name, limit_s, known.get(name)) for name in names]
        for one in waiting:
            yield one.result()


def _begin() -> None:
    os.nice(10)
    leave_the_mounts()
    loaders.preload()


def _judge(name: str, limit_s: float, known: Verdict | None) -> Verdict:
    file, _, program = name.partition(":")
    path = places.objects() / file
    return {
        "object": name,
        "bpfctl": loaders.bpfctl(path, program, limit_s),
        "bpftool": known["bpftool"] if known else loaders.bpftool(path, program, limit_s),
    }


def read(results: Path) -> dict[str, Verdict]:
    """Return the results of a run by object; nothing where there was none."""
    if not results.exists():
        return {}
    lines = (json.loads(line) for line in results.read_text().splitlines())
    return {one["object"]: one for one in lines}


def write(results: Path, verdicts: Mapping[str, Verdict]) -> None:
    """Write results, all at once: whoever reads meanwhile gets those of before."""
    arriving = results.with_name(f".{results.name}")
    arriving.write_text("".join(f"{json.dumps(one)}\n" for one in verdicts.values()))
    arriving.rename(results)
