"""`feature probe full` against bpftool's, question by question, on each kernel of the matrix.

`data/probe_differences.toml` lists where the answers differ, why, and who is wrong. A difference
that it does not list fails, and so does one that it lists and that is not there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bpfctl.commands.feature import builtins

from bpfctl.features.helpers import helper_name
from bpfctl.features.probe import probe_kernel
from bpfctl.kernel.uapi_helpers import HelperId
from bpfctl.linux.version import kernel_version
from tests.conftest import IN_CI
from tests.vm import kernels, newest_bpftool

LISTED = Path(__file__).parent / "data" / "probe_differences.toml"
GROUPS = ("system_config", "syscall_config", "program_types", "map_types", "misc")
PROGRAMS = ("bpftool", newest_bpftool.NAME)
KERNELS = (*kernels.NAMES, "6.18")  # what the file is about
ABSENT = "not a question"
WORDS = {True: "yes", False: "no", None: "cannot tell"}


@dataclass(frozen=True)
class Difference:
    """An entry of the file: `asked` are patterns of questions, all of which must differ."""

    bpftool: list[str]
    kernels: list[str]
    asked: list[str]
    theirs: str
    ours: str
    wrong: str
    reason: str

    def covers(self, question: str, theirs: object, ours: object) -> bool:
        """Say whether it explains a difference."""
        return (self.theirs, self.ours) == (theirs, ours) and any(
            fnmatchcase(question, pattern) for pattern in self.asked
        )


def listed() -> list[Difference]:
    return [Difference(**entry) for entry in tomllib.loads(LISTED.read_text())["difference"]]


def series() -> str:
    """Return the running kernel's series ("6.12")."""
    return ".".join(map(str, kernel_version()[:2]))


@cache
def program(name: str) -> str | None:
    """Return a bpftool's path: the command, else what the machines' cache has."""
    path = shutil.which(name)
    if path or name != newest_bpftool.NAME:
        return path
    place = newest_bpftool.fetched() if IN_CI else newest_bpftool.cached()
    return os.fspath(place / name) if place else None


@pytest.fixture(params=PROGRAMS)
def bpftool(request: pytest.FixtureRequest) -> str:
    """Return the path of each bpftool. The newest is there when a machine was started once."""
    if series() not in KERNELS:
        pytest.skip(f"needs a list of differences for Linux {series()}")
    path = program(request.param)
    if path is None and request.param == newest_bpftool.NAME:
        pytest.skip(f"needs {request.param}: `python -m tests.vm run` fetches it")
    assert path is not None
    return path


@cache
def asked(path: str, *words: str) -> Any:
    """Return what a bpftool says, parsed."""
    done = subprocess.run([path, "-j", *words], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def version(path: str) -> str:
    """Return a bpftool's version ("7.1")."""
    return ".".join(asked(path, "version")["version"].split(".")[:2])


def theirs(path: str) -> dict[str, object]:
    """Return each question that a bpftool asks, with its answer.

    It lists the helpers that can be called: of the others that it knows it says no.
    """
    fields = asked(path, "feature", "probe", "full")
    answers = plain(fields)
    known = asked(path, "feature", "list_builtins", "helpers")[1:]  # without bpf_unspec
    for kind, names in fields["helpers"].items():
        for name in known:
            answers[question(kind, name)] = WORDS[name in names]
    return answers


@cache
def ours() -> dict[str, object]:
    """Return our answer to each question, and which of them cannot be told."""
    fields = probe_kernel(helpers=True, noisy=True).to_json()
    answers = plain(fields)
    for kind, names in fields["helpers"].items():
        unsure = fields["verdicts"]["helpers"][kind.removesuffix("_available_helpers")]
        for name in map(helper_name, HelperId):
            told = None if names is None or name in unsure.get("cannot_tell", ()) else name in names
            answers[question(kind, name)] = WORDS[told]
    return answers


def plain(fields: dict[str, Any]) -> dict[str, object]:
    """Return the answers of all groups but helpers, by "group.key"."""
    return {
        f"{group}.{key}": WORDS[value] if isinstance(value, bool | None) else value
        for group in GROUPS
        for key, value in fields[group].items()
    }


def question(kind: str, helper: str) -> str:
    return f"helpers.{kind.removesuffix('_available_helpers')}.{helper}"


def differing(path: str) -> dict[str, tuple[object, object]]:
    """Return bpftool's answer and ours to each question where they are not the same."""
    return {
        key: (value, ours().get(key, ABSENT))
        for key, value in theirs(path).items()
        if ours().get(key, ABSENT) != value
    }


def expected(path: str) -> list[Difference]:
    """Return the entries for a bpftool on this kernel."""
    return [e for e in listed() if version(path) in e.bpftool and series() in e.kernels]


def test_every_difference_is_listed(bpftool: str) -> None:
    entries = expected(bpftool)
    assert {
        key: both
        for key, both in differing(bpftool).items()
        if not any(entry.covers(key, *both) for entry in entries)
    } == {}


def test_every_listed_difference_is_there(bpftool: str) -> None:
    found = differing(bpftool)
    stale = [
        (pattern, entry.theirs, entry.ours)
        for entry in expected(bpftool)
        for pattern in entry.asked
        if not any(
            both == (entry.theirs, entry.ours) and fnmatchcase(key, pattern)
            for key, both in found.items()
        )
    ]
    assert stale == []


def test_enough_is_compared(bpftool: str) -> None:
    """An answer that is lost would be no difference."""
    answers = theirs(bpftool)
    groups = {group: sum(key.startswith(f"{group}.") for key in answers) for group in GROUPS}
    assert groups["system_config"] > 35
    assert groups["program_types"] > 30
    assert groups["map_types"] > 30
    assert groups["misc"] >= 4
    assert sum(key.startswith("helpers.") for key in answers) > 6000


@pytest.mark.parametrize(
    "group", ["prog_types", "map_types", "attach_types", "link_types", "helpers"]
)
def test_builtins_begin_as_bpftools(bpftool: str, group: str) -> None:
    known = asked(bpftool, "feature", "list_builtins", group)
    assert builtins(group)[: len(known)] == known


def test_the_list_is_in_order() -> None:
    for entry in listed():
        assert set(entry.kernels) <= set(KERNELS), entry
        assert entry.wrong in ("bpftool", "bpfctl", "neither"), entry
        assert len(entry.reason) > 20, entry
