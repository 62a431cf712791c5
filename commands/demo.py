"""`bpfctl demo`: the whole path from an object file to a pinned, visible link, on this machine."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import bpfctl.data
from bpfctl.plain import plain
from bpfctl.plain_signal import signal

from .declare import Exit, Noun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .context import Context
    from .declare import Call

app = Noun("Show the whole path on this kernel, and clean up.")


@plain
class Step:
    """One thing the demo does: why, and the words a person would type for it."""

    why: str
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """The command line, ready to paste."""
        shell = self.words[:2] == ("sh", "-c")
        return self.words[2] if shell else shlex.join(self.words)


@app.command()
def demo(call: Call) -> None:
    """Load, link, pin, show, read and remove two programs that ship with bpfctl.

    Each step prints the command that does the same by hand. What the demo makes lies below one
    directory of a bpffs and is removed at the end, also on Ctrl-C and on failure. Where no bpffs
    is mounted it mounts one in a mount namespace of its own, so that the machine stays as it was.
    """
    out = call.out
    with _place(out) as place:
        done = [_run(step, out) for step in _steps(place)]
    if out.json:
        from .output import write_json

        write_json(out, {"steps": done, "removed": str(place)})
    else:
        _say(f"\nRemoved {place} and all below it; with the pins went programs, maps and links.")


def _steps(place: Path) -> Iterator[Step]:
    """List the steps, first to last."""
    obj = str(Path(bpfctl.data.__path__[0]) / "demo.bpf.o")
    progs, maps = f"{place}/progs", f"{place}/maps"
    link_create = ("bpfctl", "link", "create")
    yield Step(
        "Load both programs of an object file and pin them, with their map, in a bpffs.",
        ("bpfctl", "prog", "loadall", obj, progs, "pinmaps", maps),
    )
    tracepoint = ("raw_tracepoint", "sched_process_exec")
    yield Step(
        "Attach one to a raw tracepoint: it counts what each process executes.",
        (*link_create, f"{progs}/on_exec", *tracepoint, "--pin", f"{place}/count_execs"),
    )
    yield Step(
        "Make an iterator of the other: reading its pin runs the program, once for each task.",
        (*link_create, f"{progs}/dump_task", "iter", "--pin", f"{place}/tasks"),
    )
    yield Step("What is attached where, and where it is pinned?", ("bpfctl", "link", "show"))
    first_lines = f"cat {shlex.quote(str(place))}/tasks | head -n 6"
    yield Step("Read the iterator like any file.", ("sh", "-c", first_lines))
    yield Step("Execute something, so that there is something to count.", ("true",))
    yield Step(
        "Dump the map; its type information says what the bytes mean.",
        ("bpfctl", "map", "dump", "pinned", f"{maps}/execs"),
    )


def _run(step: Step, out: Context) -> dict[str, Any]:
    """Say what a step does, do it, and return what there is to tell of it."""
    words = list(step.words)
    if words[0] == "bpfctl":
        # -P: a source tree in the current directory must not stand in for what is installed.
        words[:1] = [sys.executable, "-P", "-m", "bpfctl"]
    if not out.json:
        _say(f"\n# {step.why}\n$ {step.command}")
    done = subprocess.run(
        words,
        check=False,
        errors="surrogateescape",  # tasks call themselves what they like
        stdout=subprocess.PIPE if out.json else None,
    )
    if done.returncode != 0:
        raise Exit(done.returncode)
    return {"why": step.why, "command": step.command, "output": done.stdout}


@contextmanager
def _place(out: Context) -> Iterator[Path]:
    """Give a new directory on a bpffs, and take it away with all that is pinned below it."""
    place = _new_directory(_bpffs(out))
    try:
        yield place
    finally:
        _undisturbed(lambda: _remove(place))


def _undisturbed(work: Callable[[], None]) -> None:
    """Do something to its end, whatever signal asks us to stop meanwhile."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        work()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _bpffs(out: Context) -> Path:
    """Find a mounted bpffs, or mount one that only this process and its children see."""
    from bpfctl.kernel.mount import mount_bpffs, private_mount_namespace
    from bpfctl.linux.mounts import bpffs_mounts

    mounts = bpffs_mounts()
    usual = "/sys/fs/bpf"
    chosen = Path(usual if usual in mounts or not mounts else mounts[0])
    if not mounts:
        private_mount_namespace(str(chosen))
        mount_bpffs(str(chosen))
        if not out.json:
            _say(f"No bpffs is mounted: using one at {chosen} that only this demo sees.")
            _say(f"To have one for good:  mount -t bpf bpf {chosen}")
    return chosen


def _new_directory(bpffs: Path) -> Path:
    for name in ("bpfctl-demo", f"bpfctl-demo-{os.getpid()}"):
        place = bpffs / name
        try:
            place.mkdir(mode=0o700)
        except FileExistsError:
            continue
        except OSError as err:
            raise _cannot_make(place, err) from err
        return place
    raise _cannot_make(place, FileExistsError("exists already"))


def _cannot_make(place: Path, err: OSError) -> Exception:
    from bpfctl.errors import PathError

    return PathError(
        f"cannot make a directory for the demo: {(err.strerror or str(err)).lower()}",
        code="demo-directory",
        subject=str(place),
        remedy="run the demo as root, with /sys/fs/bpf writable",
    )


def _remove(place: Path) -> None:
    for folder, _, files in os.walk(place, topdown=False):
        for name in files:
            (Path(folder) / name).unlink(missing_ok=True)
        Path(folder).rmdir()


def _say(text: str) -> None:
    from .output import finish, write_text

    write_text(text + "\n")
    finish()  # before the command that was announced writes
