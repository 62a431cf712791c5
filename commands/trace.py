"""`--debug`: each bpf(2) call on standard error as it returns."""

from __future__ import annotations

import errno
from contextlib import contextmanager

from .clean import clean
from .output import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def tracing() -> Iterator[None]:
    """Have each call shown while the body runs."""
    from bpfctl.kernel.bpf import set_tracer

    set_tracer(show_call)
    try:
        yield
    finally:
        set_tracer(None)


def show_call(call: str, doing: str, size: int, result: int, elapsed_ns: int) -> None:
    """Show one call: its attr size in bytes, its result or errno, how long it took, what for."""
    name = str(result) if result >= 0 else errno.errorcode.get(-result, str(result))
    say(f"bpf({call}, {size} bytes) = {name}  {elapsed_ns / 1000:.0f} us  {clean(doing)}")
