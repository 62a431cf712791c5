"""Load, attach, pin, inspect and explain BPF objects on Linux.

`open_object` is where to begin; see `bpfctl.api`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bpfctl.api import (
        Globals,
        Link,
        Object,
        Program,
        TestRun,
        TypedMap,
        open_bytes,
        open_map,
        open_object,
    )
    from bpfctl.loader.options import LoadOptions

__version__ = "0.1.0"
__all__ = [
    "Globals", "Link", "LoadOptions", "Object", "Program", "TestRun", "TypedMap", "open_bytes",
    "open_map", "open_object",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import the public names when they are asked for: the command line needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bpfctl import api

    return getattr(api, name)


def __dir__() -> list[str]:
    """The public names too, for who completes them."""
    return sorted({*globals(), *__all__})
