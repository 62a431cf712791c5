"""The two loaders, each started as its command and judged by what it says and leaves."""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import select
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bpfctl.explain.verifier_messages import recognise
from tests.corpus import observe, places
from tests.corpus.load_events import LoadEvents
from tests.corpus.own_bpffs import fresh_bpffs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.corpus.subjects import Subject

LOADED, NOTHING, REFUSED, TIMEOUT, DIED = "loaded", "nothing", "refused", "timeout", "died"
PINS = "judged"  # a directory of the bpffs; the kernel has files of its own beside it


@dataclass(frozen=True)
class Ended:
    """How a command ended: its status, None when the time was over, and what it wrote."""

    status: int | None
    out: str
    err: str
    seconds: float
    loads: list[tuple[str, str]]


def preload() -> None:
    """Import all of bpfctl and what it reads files with, once for all that are forked from here."""
    for parent in ("bpfctl", "bpfctl.commands", "elftools.elf"):
        for module in pkgutil.walk_packages(import_module(parent).__path__, f"{parent}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    recognise("a line that no rule is for: now all are compiled")
    gc.freeze()  # or each child would copy what it collects


def bpfctl(subject: Subject, limit_s: float) -> dict[str, Any]:
    """Load an object, or one program of it, with bpfctl's command line.

    It runs in a process forked from this one, so that only the start of Python is left out: a
    machine without KVM takes seconds for it.
    """
    with fresh_bpffs() as bpffs:
        words = ["-j", "prog", "loadall", str(subject.path), f"{bpffs}/{PINS}"]
        words += ["kernel_btf", str(subject.kernel_btf)] if subject.kernel_btf else []
        words += ["--only", subject.program] if subject.program else []
        ended = _run(lambda: _be_bpfctl(words), limit_s)
        answer = _answer(ended, _bpfctl_verdict(ended))
        answer["programs"] = observe.pinned(f"{bpffs}/{PINS}")
    return answer


def bpftool(subject: Subject, limit_s: float) -> dict[str, Any]:
    """Load an object with bpftool, or one program of it with the same library."""
    with fresh_bpffs() as bpffs:
        path, pins = str(subject.path), f"{bpffs}/{PINS}"
        words = [*places.bpftool_words(), "prog", "loadall", path, pins]
        words += ["kernel_btf", str(subject.kernel_btf)] if subject.kernel_btf else []
        if subject.program:
            words = [*places.load_one_words(), path, subject.program, f"{pins}/{subject.program}"]
        ended = _run(lambda: os.execv(words[0], words), limit_s)
        answer = _answer(ended, _bpftool_verdict(ended))
        answer["programs"] = observe.pinned(f"{bpffs}/{PINS}")
    return answer


def _answer(ended: Ended, verdict: tuple[str, str, str]) -> dict[str, Any]:
    outcome, code, text = verdict
    return {
        "outcome": outcome,
        "code": code,
        "text": text,
        "seconds": round(ended.seconds, 3),
        "loads": ended.loads,
    }


def _bpfctl_verdict(ended: Ended) -> tuple[str, str, str]:
    if ended.status is None:
        return TIMEOUT, "", ""
    if ended.status == 0:
        return LOADED, "", ""
    try:
        error = json.loads(ended.out)["error"]
    except (ValueError, KeyError):
        return DIED, f"status {ended.status}", (ended.out + ended.err)[-2000:]
    if error["code"] == "no-program":
        return NOTHING, "", ""
    evidence = "; ".join(str(one) for one in error["evidence"])
    return REFUSED, error["code"], f"{error['message']} [{evidence}]"[:1500]


def _bpftool_verdict(ended: Ended) -> tuple[str, str, str]:
    """Judge what was loaded: bpftool fails to pin what it left out for its "?", and says so."""
    if ended.status is None:
        return TIMEOUT, "", ""
    if ended.status == 0:
        return LOADED, "", ""
    lines = [line for line in ended.err.splitlines() if line.strip()]
    if "Error: failed to pin" in ended.err:
        return LOADED, "not pinned", " | ".join(lines[-2:])[:1500]
    if ended.status < 0 or not lines:
        return DIED, f"status {ended.status}", ended.err[-2000:]
    return REFUSED, "", " | ".join(lines[:1] + lines[-3:])[:1500]


def _be_bpfctl(words: list[str]) -> None:
    from bpfctl.__main__ import main

    sys.argv = ["bpfctl", *words]
    main()


def _run(become: Callable[[], None], limit_s: float) -> Ended:
    """Fork, let the child become a command, and watch it to its end or to that of its time."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        ready, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            _child(become, ready, out.fileno(), err.fileno())
        os.close(ready)
        events = LoadEvents(pid)
        begin = time.monotonic()
        os.write(go, b"!")
        os.close(go)
        status = _wait(pid, begin + limit_s)
        seconds = time.monotonic() - begin
        loads = events.loads()
        events.close()
        return Ended(status, _text(out), _text(err), seconds, loads)


def _child(become: Callable[[], None], ready: int, out: int, err: int) -> None:
    """Wait until we are watched, and become the command; never return."""
    try:
        os.setsid()
        os.read(ready, 1)
        os.dup2(out, 1)
        os.dup2(err, 2)
        become()
    finally:
        os._exit(120)


def _wait(pid: int, end: float) -> int | None:
    """Return how a child ended, None when we ended it because the time was over."""
    watched = os.pidfd_open(pid)
    try:
        late = not select.select([watched], [], [], end - time.monotonic())[0]
    finally:
        os.close(watched)
    if late:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return None if late else os.waitstatus_to_exitcode(status)


def _text(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode(errors="replace")
    return text
