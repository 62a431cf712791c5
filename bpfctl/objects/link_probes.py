"""What the kernel tells of links on probes and perf events. See link_kinds.py."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.kernel.names import label
from bpfctl.kernel.uapi import AttachType
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# Names of the perf tool: enum perf_type_id, perf_hw_id, perf_sw_ids and perf_hw_cache_*
# (include/uapi/linux/perf_event.h, Linux 6.18).
PERF_TYPES: Final = ("hardware", "software", "tracepoint", "hw-cache", "raw", "breakpoint")
_HARDWARE: Final = (
    "cpu-cycles", "instructions", "cache-references", "cache-misses", "branch-instructions",
    "branch-misses", "bus-cycles", "stalled-cycles-frontend", "stalled-cycles-backend",
    "ref-cycles",
)  # fmt: skip
_SOFTWARE: Final = (
    "cpu-clock", "task-clock", "page-faults", "context-switches", "cpu-migrations",
    "minor-faults", "major-faults", "alignment-faults", "emulation-faults", "dummy",
    "bpf-output", "cgroup-switches",
)  # fmt: skip
_CACHES: Final = ("L1-dcache", "L1-icache", "LLC", "dTLB", "iTLB", "branch", "node")
_CACHE_OPS: Final = ("load", "store", "prefetch")
_CACHE_RESULTS: Final = ("refs", "misses")


@plain
class Place:
    """One place of a probe: an address of the kernel or an offset in a file.

    `cookie` and `ref_ctr_offset` are None where the kernel does not tell.
    """

    at: int
    cookie: int | None = None
    ref_ctr_offset: int | None = None


@plain
class KprobeMulti:
    """Functions of the kernel; addresses are missing where the kernel withholds them."""

    count: int
    is_return: bool
    missed: int | None
    places: tuple[Place, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys; "funcs" takes a look at the kernel's symbols."""
        return {"retprobe": self.is_return, "func_cnt": self.count, "missed": self.missed or 0}


@plain
class TracingMulti:
    """Functions of the kernel for a tracing program; addresses as in KprobeMulti."""

    attach_type: int
    count: int
    places: tuple[Place, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the fields; "funcs" takes a look at the kernel's symbols."""
        return {"attach_type": label(AttachType, self.attach_type), "func_cnt": self.count}


@plain
class UprobeMulti:
    """Places in a file, for one process or all (`pid` is 0)."""

    path: str
    count: int
    is_return: bool
    pid: int
    places: tuple[Place, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return {
            "retprobe": self.is_return,
            "path": self.path,
            "func_cnt": self.count,
            "pid": self.pid,
            "funcs": [
                {"offset": p.at, "ref_ctr_offset": p.ref_ctr_offset or 0, "cookie": p.cookie or 0}
                for p in self.places
            ],
        }


@plain
class PerfTracepoint:
    """A trace event, reached through a perf event."""

    name: str
    cookie: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return {"tracepoint": self.name, "cookie": self.cookie or 0}


@plain
class PerfKprobe:
    """A function of the kernel, reached through a perf event."""

    function: str
    offset: int
    address: int
    is_return: bool
    missed: int | None = None
    cookie: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return {
            "retprobe": self.is_return,
            "addr": self.address,
            "func": self.function,
            "offset": self.offset,
            "missed": self.missed or 0,
            "cookie": self.cookie or 0,
        }


@plain
class PerfUprobe:
    """A place in a file, reached through a perf event."""

    path: str
    offset: int
    is_return: bool
    cookie: int | None = None
    ref_ctr_offset: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        fields: dict[str, object] = {
            "retprobe": self.is_return,
            "file": self.path,
            "offset": self.offset,
            "cookie": self.cookie or 0,
        }
        return fields | ({"ref_ctr_offset": self.ref_ctr_offset} if self.ref_ctr_offset else {})


@plain
class PerfEvent:
    """A counter or another event of perf_event_open(2), in its own numbers."""

    type: int
    config: int
    cookie: int | None = None

    @property
    def type_name(self) -> str | int:
        """The type in the perf tool's words, or its number."""
        return _word(PERF_TYPES, self.type)

    @property
    def config_name(self) -> str | int:
        """The event in the perf tool's words, or its number."""
        match self.type_name:
            case "hardware":
                return _word(_HARDWARE, self.config)
            case "software":
                return _word(_SOFTWARE, self.config)
            case "hw-cache":
                return "-".join(
                    str(_word(words, self.config >> shift & 0xFF))
                    for words, shift in ((_CACHES, 0), (_CACHE_OPS, 8), (_CACHE_RESULTS, 16))
                )
        return self.config

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return {
            "event_type": self.type_name,
            "event_config": self.config_name,
            "cookie": self.cookie or 0,
        }


def _word(words: tuple[str, ...], number: int) -> str | int:
    return words[number] if number < len(words) else number


def event_numbers(name: str) -> tuple[int, int]:
    """Return type and config of an event in the perf tool's words ("cpu-clock", "cycles").

    Also TYPE/CONFIG in numbers ("4/0x1c2").
    Raises: UsageError with the nearest names.
    """
    for kind, names in (("hardware", _HARDWARE), ("software", _SOFTWARE)):
        if name in names:
            return PERF_TYPES.index(kind), names.index(name)
    if name == "cycles":
        return PERF_TYPES.index("hardware"), 0
    try:
        kind, _, config = name.partition("/")
        numbers = int(kind, 0), int(config, 0)
    except ValueError:
        numbers = (-1, -1)
    if 0 <= numbers[0] < 1 << 32 and 0 <= numbers[1] < 1 << 64:  # struct perf_event_attr
        return numbers
    from difflib import get_close_matches

    near = get_close_matches(name[:64], _HARDWARE + _SOFTWARE, n=3)
    raise UsageError(
        f'"{name}" is no perf event',
        remedy=f"did you mean {' or '.join(near)}?"
        if near
        else f"one of {', '.join(_SOFTWARE + _HARDWARE)}; or TYPE/CONFIG in numbers",
    )
