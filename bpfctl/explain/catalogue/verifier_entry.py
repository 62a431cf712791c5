"""What entries about the verifier have in common."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_CONFIRMED: Final = (
    "The kernel's own message says so; bpfctl knows its words from Linux 5.10 to 7.3. The place is"
    " the instruction that the log ends at, with the line that the object has for it (`-g`). "
    "Where a"
    " value comes from is found by walking the log back through the code."
)
_KERNELS: Final = "All kernels from 5.10 on."


def entry(code: str, title: str, meaning: str, remedy: str, kernels: str = _KERNELS) -> Entry:
    """Make an entry; how bpfctl makes sure is the same for all of them."""
    return Entry(f"verifier-{code}", title, meaning, _CONFIRMED, remedy, kernels)
