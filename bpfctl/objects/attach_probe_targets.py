"""Probes that a program can be attached to: plain data, like attach_targets.py.

A cookie is what bpf_get_attach_cookie returns in the program; 0 is none.
"""

from __future__ import annotations

from bpfctl.objects.attach_words import attach_word
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.kernel.uapi import AttachType


@plain
class Kprobe:
    """A function of the kernel, or a place `offset` bytes into it; or its returns."""

    function: str
    offset: int = 0
    is_return: bool = False
    cookie: int = 0

    def __str__(self) -> str:
        return f"{'kretprobe' if self.is_return else 'kprobe'} {_place(self.function, self.offset)}"


@plain
class Uprobe:
    """A function of a file, or a place `offset` bytes into it; or its returns.

    Without a function the offset counts from the beginning of the file. `pid` 0 is: all processes.
    """

    path: str
    function: str = ""
    offset: int = 0
    is_return: bool = False
    pid: int = 0
    cookie: int = 0

    def __str__(self) -> str:
        place = _place(self.function, self.offset) if self.function else hex(self.offset)
        return f"{'uretprobe' if self.is_return else 'uprobe'} {self.path}:{place}"


@plain
class KprobeMulti:
    """Functions of the kernel: by their names, or all that a pattern with `*` and `?` means.

    A session runs on entry and, unless the program then returns 1, on return. There are as many
    cookies as functions, or none.
    """

    functions: tuple[str, ...] = ()
    pattern: str = ""
    is_return: bool = False
    is_session: bool = False
    cookies: tuple[int, ...] = ()

    def __str__(self) -> str:
        word = "kprobe.session" if self.is_session else "kprobe.multi"
        return f"{_kind(word, self.is_return)} {self.pattern or ','.join(self.functions)}"


@plain
class TracingMulti:
    """Functions of the kernel for a tracing program, as in KprobeMulti (Linux 7.2)."""

    attach_type: AttachType
    functions: tuple[str, ...] = ()
    pattern: str = ""
    cookies: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{attach_word(self.attach_type)} {self.pattern or ','.join(self.functions)}"


@plain
class UprobeMulti:
    """Places of a file: functions by their names, or all that a pattern with `*` and `?` means.

    A function may have an offset behind it (main+0x10); an offset alone counts from the beginning
    of the file.
    """

    path: str
    functions: tuple[str, ...] = ()
    pattern: str = ""
    is_return: bool = False
    is_session: bool = False
    pid: int = 0
    cookies: tuple[int, ...] = ()

    def __str__(self) -> str:
        word = _kind("uprobe.session" if self.is_session else "uprobe.multi", self.is_return)
        return f"{word} {self.path}:{self.pattern or ','.join(self.functions)}"


@plain
class Usdt:
    """A static probe of a file, at all its places; `pid` 0 is: all processes."""

    path: str
    provider: str
    name: str
    pid: int = 0
    cookie: int = 0

    def __str__(self) -> str:
        return f"static probe {self.path}:{self.provider}:{self.name}"


@plain
class PerfEvent:
    """A counter: `type` and `config` are those of perf_event_open(2), `name` is for people.

    It fires `freq` times a second, or after every `period` events; for one process, on one CPU,
    or both: None stands for every, but not twice. `every_cpu` is one event for each.
    """

    name: str
    type: int
    config: int
    freq: int = 0
    period: int = 0
    pid: int | None = None
    cpu: int | None = None
    cookie: int = 0
    every_cpu: bool = False

    def __str__(self) -> str:
        where = [f" of process {self.pid}"] if self.pid is not None else []
        where += [" on every CPU"] if self.every_cpu else []
        where += [f" on CPU {self.cpu}"] if self.cpu is not None else []
        return f"perf event {self.name}{''.join(where)}"


Probe = Kprobe | Uprobe | KprobeMulti | TracingMulti | UprobeMulti | Usdt | PerfEvent


def _place(name: str, offset: int) -> str:
    return f"{name}+{offset:#x}" if offset else name


def _kind(word: str, is_return: bool) -> str:  # noqa: FBT001 - one of two words
    return word.replace("probe", "retprobe") if is_return else word
