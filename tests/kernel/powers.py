"""Run a command line with some capabilities only: in a child that gives up the others."""

from __future__ import annotations

import ctypes
import importlib
import io
import json
import os
import pkgutil
import sys
import tempfile
import traceback
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import bpfctl
from bpfctl.linux.caps import Capability
from bpfctl.linux.memlock import MemlockLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from tests.kernel.conftest import NetNs

EVERY = frozenset(range(64))  # those that the process has to begin with

# include/uapi/linux/capability.h: _LINUX_CAPABILITY_VERSION_3 has two words for each set.
_VERSION_3 = 0x20080522
_CLONE_NEWNET = 0x40000000
_CLONE_NEWNS = 0x00020000
_MS_REC_PRIVATE = 0x4000 | 0x40000
_CAPBSET_DROP = 24
_CRASHED = 99
LAZY = ("elftools.elf.enums",)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


class Ran(NamedTuple):
    """How a command line ended, and what it wrote: data, and talk."""

    status: int
    written: str
    said: str

    @property
    def error(self) -> dict[str, Any]:
        """The error it wrote in JSON mode; empty where it wrote none."""
        answer = json.loads(self.written) if self.written.strip() else {}
        found: dict[str, Any] = answer.get("error", {}) if isinstance(answer, dict) else {}
        return found


def run_with(
    capabilities: Collection[int],
    words: Sequence[str],
    space: NetNs | None = None,
    tracefs: Path | None = None,
    before: Callable[[], None] = lambda: None,
) -> Ran:
    """Run `bpfctl -j WORDS` as root with no other capabilities than these, file rights included.

    `space` is a network namespace to run in; `tracefs` is where to mount one that nobody else sees.
    `before` is called in that process, before it gives up capabilities.
    A child of ours, rather than a new process: it starts with everything imported, which takes most
    of the time in a virtual machine. Its memory is not counted, as before Linux 5.11 that would be
    another reason to be refused.
    """
    _import_everything()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            with _ending(out.fileno(), err.fileno()) as ending:
                if space is not None:
                    _enter(f"/run/netns/{space.name}")
                if tracefs is not None:
                    _mount_privately("tracefs", tracefs)
                MemlockLimit().lift()
                before()
                keep_only(capabilities)
                ending.append(_bpfctl(words))
        _, how = os.waitpid(child, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return Ran(os.waitstatus_to_exitcode(how), *texts)


@cache
def _import_everything() -> None:
    """Import all of bpfctl here, once, and not in each child: that is most of what they do."""
    for module in pkgutil.walk_packages(bpfctl.__path__, "bpfctl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in LAZY:
        importlib.import_module(name)


@contextmanager
def _ending(out: int, err: int) -> Iterator[list[int]]:
    """Write to these files, and end the process with the status that is put in the list."""
    status = [_CRASHED]
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout, sys.stderr = (io.TextIOWrapper(os.fdopen(n, "wb", 0)) for n in (1, 2))
        yield status
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status[-1])


def _bpfctl(words: Sequence[str]) -> int:
    from bpfctl.commands.main import main

    status: int = main(["-j", "--nomount", *words])
    return status


def _mount_privately(kind: str, place: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_CLONE_NEWNS))
    _check(libc.mount(None, b"/", None, _MS_REC_PRIVATE, None))
    _check(libc.mount(kind.encode(), bytes(place), kind.encode(), 0, None))


def _enter(path: str) -> None:
    with open(path) as file:  # noqa: PTH123 - a file of a namespace, for its descriptor
        _check(ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET))


def keep_only(capabilities: Collection[int]) -> None:
    """Give up all other capabilities of this process."""
    mask = sum(1 << one for one in capabilities) & _held()
    sets = (_Sets * 2)()
    for index in (0, 1):
        word = mask >> (32 * index) & 0xFFFFFFFF
        sets[index].effective = sets[index].permitted = word
    header = _Header(_VERSION_3, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(_last() + 1):  # or a program that we execute would get them back
        if not mask >> number & 1:
            _check(libc.prctl(_CAPBSET_DROP, number, 0, 0, 0))
    _check(libc.capset(ctypes.byref(header), ctypes.byref(sets)))


def _last() -> int:
    return int(Path("/proc/sys/kernel/cap_last_cap").read_text())


def _held() -> int:
    from bpfctl.linux.caps import effective_mask

    mask = effective_mask()
    assert mask is not None
    return mask


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def pinned_below(place: Path) -> list[str]:
    """List the pins and directories below a directory."""
    return sorted(
        os.path.join(folder, name)  # noqa: PTH118 - names with dots make a bpffs say EPERM
        for folder, folders, files in os.walk(place)
        for name in (*folders, *files)
    )


def named(names: Collection[str]) -> frozenset[int]:
    """Return the numbers of capabilities ("CAP_BPF")."""
    return frozenset(int(Capability[name.removeprefix("CAP_")]) for name in names)
