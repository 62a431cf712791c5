"""Every subject, loaded by both; the results as one line of JSON each."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.corpus import loaders, stream
from tests.corpus.own_bpffs import leave_the_mounts
from tests.corpus.subjects import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Verdict = dict[str, Any]


class How(NamedTuple):
    """How many processes judge at once, and whether they tell what they begin with."""

    processes: int = 2
    tell: bool = False


DEFAULT = How()


def run(
    names: list[str], limit_s: float, known: Mapping[str, Verdict], how: How = DEFAULT
) -> Iterator[Verdict]:
    """Judge subjects by their names, several at once, and yield the verdicts as they come.

    What is known of bpftool from before is taken as it is.
    """
    loaders.preload()
    leave = ProcessPoolExecutor(how.processes, get_context("fork"), _begin)
    with leave as pool:
        waiting = [pool.submit(_judge, name, limit_s, known.get(name), how) for name in names]
        for one in as_completed(waiting):
            yield one.result()


def _begin() -> None:
    os.nice(10)
    leave_the_mounts()


def _judge(name: str, limit_s: float, known: Verdict | None, how: How) -> Verdict:
    if how.tell:
        stream.say_begin(name)
    subject = Subject.parse(name)
    return {
        "object": name,
        "bpfctl": loaders.bpfctl(subject, limit_s),
        "bpftool": known["bpftool"] if known else loaders.bpftool(subject, limit_s),
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
