"""The project's drive: current files, ready to run; and the command as shell text."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.vm import project
from tests.vm.rootfs import requirements

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param(["pytest", "-k", "a b"], "pytest -k 'a b'", id="words"),
        pytest.param(["cd /tmp && ls"], "cd /tmp && ls", id="shell text"),
    ],
)
def test_shell_text(words: list[str], text: str) -> None:
    assert project.shell_text(words) == text


def test_exports() -> None:
    assert project.exports({"A": "x y", "B": "'"}) == "export A='x y'\nexport B=''\"'\"''\n"


def test_a_copy_runs(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    project.copy(tree)
    project.install(tree)
    done = subprocess.run(
        [sys.executable, "-m", "bpfctl", "version"], cwd=tree, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert not (tree / ".git").exists()


def test_requirements_are_those_of_a_kernels_tests() -> None:
    names = {word.partition(">")[0] for word in requirements()}
    assert {"cffi", "typer", "pytest"} <= names
    assert not names & {"mypy", "ruff", "types-cffi"}
