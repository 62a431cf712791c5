"""Every cause that checks can name has an entry, and a test on a real kernel."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from bpfctl.explain.catalogue.index import entries
from tests.tools.verifier_logs import provoked

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "bpfctl"
CODE = re.compile("[a-z0-9]+(-[a-z0-9]+)+")


def constants(tree: ast.Module) -> dict[str, str]:
    """Return the texts that a module gives names to."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            value = node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[node.target.id] = value.value
    return found


def codes_of(path: Path) -> set[str]:
    """Return the codes of the explanations that a module makes.

    Where it hands a code on to a function that makes one, that is any text that looks like one.
    """
    tree = ast.parse(path.read_text())
    names, found = constants(tree), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Explanation":
            named = [word.value for word in node.keywords if word.arg == "code"]
            code = (*named, *node.args)[0]
            if isinstance(code, ast.Name):
                found |= {names[code.id]} if code.id in names else texts_like_codes(tree)
            else:
                found.add(ast.literal_eval(code))
    return found


def texts_like_codes(tree: ast.Module) -> set[str]:
    words = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {word for word in words if isinstance(word, str) and CODE.fullmatch(word)}


def explained_in(folder: Path) -> set[str]:
    """Return the codes that tests say they provoke (`@pytest.mark.explains`).

    What the verifier says is listed with the programs that it refuses.
    """
    found = provoked()
    for path in sorted(folder.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "explains":
                found.update(ast.literal_eval(word) for word in node.args)
    return found


def test_every_code_of_a_check_has_an_entry() -> None:
    paths = [path for path in (LIBRARY / "explain").rglob("*.py") if path.name != "engine.py"]
    codes = {code for path in paths for code in codes_of(path)}
    assert "capabilities-missing" in codes
    assert sorted(codes - set(entries())) == []


def test_every_entry_is_provoked_on_a_real_kernel() -> None:
    assert sorted(set(entries()) - explained_in(ROOT / "tests" / "kernel")) == []


def test_no_test_claims_what_has_no_entry() -> None:
    assert sorted(explained_in(ROOT / "tests" / "kernel") - set(entries())) == []


def test_every_entry_has_a_code_that_bpfctl_gives() -> None:
    paths = [path for path in LIBRARY.rglob("*.py") if path.parent.name != "catalogue"]
    given = {code for path in paths for code in re.findall(r'"([a-z0-9-]+)"', path.read_text())}
    assert sorted(set(entries()) - given) == []


@pytest.mark.parametrize("code", entries())
def test_entries_are_whole(code: str) -> None:
    entry = entries()[code]
    assert entry.code == code
    assert CODE.fullmatch(code)
    assert not entry.title.endswith(".")
    for text in (entry.meaning, entry.confirmed, entry.remedy, entry.kernels):
        assert text.endswith((".", "?")), text
        assert text.count("`") % 2 == 0, text
