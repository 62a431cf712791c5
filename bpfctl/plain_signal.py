"""`signal` without its enums: the standard module makes them of all numbers when it is imported.

That takes 5 ms of processor time, a third of what Python takes to start, and every command wants to
hear of signals. The functions and numbers are those of the module beneath it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    try:
        import _signal as signal
    except ImportError:  # not CPython
        import signal

__all__ = ["signal"]
