"""The program: `bpfctl`, and `python -m bpfctl`."""

from __future__ import annotations

import gc
import os
import sys

from bpfctl.plain_signal import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

# A command makes objects and ends; looking for cycles among them costs more than they do.
_GC_THRESHOLD = 100_000
# A source tree has no such modules, and `python -m` finds it first where it is the directory.
_MADE_BY_INSTALLING = ("bpfctl.commands", "bpfctl.kernel._cffi")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NOT_INSTALLED = """\
bpfctl: this source tree is not installed, and hides an installed bpfctl
  remedy     use the command bpfctl or python -P -m bpfctl; or install the tree: pip install -e .
"""


def main() -> int:
    """Run the command line of this process and end the process with its exit status."""
    gc.set_threshold(_GC_THRESHOLD)
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # under nohup it is
            signal.signal(number, _stop)
    try:
        from bpfctl.commands.main import main as run

        status: int = run(sys.argv[1:])
    except ModuleNotFoundError as err:
        if err.name not in _MADE_BY_INSTALLING:
            raise
        sys.stderr.write(_NOT_INSTALLED)
        status = 1
    except KeyboardInterrupt:  # while modules were still being imported
        status = 130
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    _leave(status)
    return status


def _stop(number: int, frame: FrameType | None) -> None:
    """Turn a signal that ends us into an exception, so that a command undoes what it did.

    Further signals are not heard: they would end the undoing. The status is the one a shell
    gives for the signal.
    """
    del frame
    for each in _ENDING:
        signal.signal(each, _go_on)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _go_on(number: int, frame: FrameType | None) -> None:
    del number, frame


def _leave(status: int) -> None:
    """End at once: everything is closed and written, and the kernel takes back memory faster.

    Taking the interpreter apart is a tenth of the time of `link show`. Debuggers and `python -i`
    get the ordinary end.
    """
    if sys.gettrace() is not None or sys.flags.interactive:
        return
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:  # nobody is left to tell; the status says what there was to say
            continue
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
