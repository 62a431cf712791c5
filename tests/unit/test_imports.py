"""What costs much at import is imported by the functions that use it."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
# Each takes longer than many a command: see bpfctl.plain, plain_enum and plain_typing.
DEAR = {"dataclasses", "enum", "inspect", "signal", "typing"}
EXCEPT = {
    ROOT / "commands" / "typed.py",  # goes with typer, which imports them all
    ROOT / "bpfctl" / "plain_signal.py",
}


def imported(path: Path) -> set[str]:
    """The packages that a module imports whenever it is imported."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_no_module_imports_what_is_dear() -> None:
    modules = {path for folder in ("bpfctl", "commands") for path in (ROOT / folder).rglob("*.py")}
    assert len(modules) > 300
    dear = {path.relative_to(ROOT): imported(path) & DEAR for path in modules - EXCEPT}
    assert {path: names for path, names in dear.items() if names} == {}
