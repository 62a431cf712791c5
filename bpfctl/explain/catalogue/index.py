"""Finds entries of the catalogue."""

from __future__ import annotations

from importlib import import_module

from bpfctl.errors import NotFoundError
from bpfctl.plain_tools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.explain.catalogue.entry import Entry

# Each has a tuple ENTRIES. Their order is that of the manual.
MODULES: Final = (
    "rights",
    "kernels",
    "maps",
    "pins",
    "loads",
    "functions",
    "places",
    "compilers",
    "xdp",
    "net",
    "types",
    "running",
    "verifier_pointers",
    "verifier_bounds",
    "verifier_calls",
    "verifier_programs",
)


@cache
def entries() -> dict[str, Entry]:
    """Return all entries by their codes, in the order of the manual."""
    modules = (import_module(f"bpfctl.explain.catalogue.{name}") for name in MODULES)
    return {entry.code: entry for module in modules for entry in module.ENTRIES}


def find(code: str) -> Entry:
    """Return the entry of a code. Raises: NotFoundError, which names the nearest codes."""
    from difflib import get_close_matches

    known = entries()
    if code in known:
        return known[code]
    near = get_close_matches(code[:64], known, n=3)
    remedy = f"did you mean {' or '.join(near)}? " if near else ""
    raise NotFoundError(
        f'no error has the code "{code}"',
        code="no-such-code",
        remedy=f"{remedy}bpfctl explain lists all codes",
    )
