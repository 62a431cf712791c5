"""Every subject, loaded by both; the results as one line of JSON each."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from tests.corpus import loaders
from tests.corpus.own_bpffs import leave_the_mounts
from tests.corpus.subjects import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROCESSES = 2
Verdict = dict[str, Any]


def run(names: list[str], limit_s: float, known: Mapping[str, Verdict]) -> Iterator[Verdict]:
    """Judge subjects by their names, several at once.

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
