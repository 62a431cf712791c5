"""Manual pages and completions: fresh, whole, and free of warnings."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bpfctl.commands.main import build
from bpfctl.commands.nouns import NOUNS
from bpfctl.commands.options import OPTIONS
from bpfctl.commands.tree import Node, walk

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
NODES = list(walk(build()))
PAGES = ["bpfctl.8", "bpfctl-errors.7", *(f"bpfctl-{noun.name}.8" for noun in NOUNS)]
COMPLETIONS = ["bpfctl.bash", "_bpfctl", "bpfctl.fish"]


def generator(folder: str) -> dict[str, Any]:
    return runpy.run_path(str(ROOT / folder / "generate.py"))


@pytest.mark.parametrize(
    ("folder", "function", "names"),
    [("man", "pages", PAGES), ("completions", "files", COMPLETIONS)],
)
def test_fresh(folder: str, function: str, names: list[str]) -> None:
    made: dict[str, str] = generator(folder)[function]()
    assert sorted(made) == sorted(names)
    stale = [name for name, text in made.items() if (ROOT / folder / name).read_text() != text]
    assert stale == [], f"run python {folder}/generate.py"


@pytest.mark.parametrize("folder", ["man", "completions"])
def test_check_finds_what_is_stale(
    folder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = generator(folder)
    main = names["main"]
    assert main(["--check"]) == 0
    copy = tmp_path / folder
    subprocess.run(["cp", "-r", str(ROOT / folder), str(copy)], check=True)
    monkeypatch.setitem(main.__globals__, "HERE", copy)
    first = next(path for path in sorted(copy.iterdir()) if path.name in PAGES + COMPLETIONS)
    whole = first.read_text()
    first.write_text("old")
    assert main(["--check"]) == 1
    assert first.read_text() == "old"
    assert main([]) == 0
    assert first.read_text() == whole


def page_of(node: Node) -> str:
    name = "-".join(node.path[:2])
    return (ROOT / "man" / f"{name}.8").read_text().replace("\\-", "-")


@pytest.mark.parametrize("node", [pytest.param(n, id=" ".join(n.path)) for n in NODES])
def test_every_command_and_option_has_a_place_in_the_manual(node: Node) -> None:
    page = page_of(node)
    assert " ".join(node.path) in page
    flags = [flag for option in node.options for flag in option.flags]
    assert [flag for flag in flags if f"\\fB{flag}\\fP" not in page] == []
    words = [argument.metavar for argument in node.arguments]
    assert [word for word in words if word not in page] == []
    if len(node.path) == 1:
        known = [flag for option in OPTIONS for flag in option.flags]
        assert [flag for flag in known if f"\\fB{flag}\\fP" not in page] == []


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_well_formed(page: str, tool: Callable[[str], str]) -> None:
    lint = subprocess.run(
        [tool("mandoc"), "-Tlint", "-W", "warning", str(ROOT / "man" / page)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (lint.returncode, lint.stdout) == (0, "")


@pytest.mark.parametrize("name", COMPLETIONS)
@pytest.mark.parametrize("node", [pytest.param(n, id=" ".join(n.path)) for n in NODES])
def test_every_command_and_option_can_be_completed(node: Node, name: str) -> None:
    text = (ROOT / "completions" / name).read_text()
    key = " ".join(node.path[1:])
    quoted = f"\\'{key}\\'" if name.endswith("fish") else f"'{key}')"
    if name.endswith("fish"):
        lines = [line for line in text.splitlines() if quoted in line or len(node.path) == 1]
    else:
        lines = [line for line in text.splitlines() if line.strip().startswith(quoted)]
    found = "\n".join(lines)
    assert [child for child in node.children if child not in found] == []
    for flag in (flag for option in node.options for flag in option.flags):
        shown = flag
        if name.endswith("fish"):
            shown = f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
        assert shown in found
