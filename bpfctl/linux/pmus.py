"""Sources of perf events (PMUs), by the numbers the kernel gave them."""

from __future__ import annotations

from pathlib import Path

_ROOT = "/sys/bus/event_source/devices"


def pmu_name(number: int, root: str = _ROOT) -> str | None:
    """Return the name of the source with that number ("cpu_clock", "uncore_imc"), or None.

    Numbers above those of enum perf_type_id are given at boot (perf_pmu_register,
    kernel/events/core.c, Linux 2.6.38).
    """
    try:
        places = sorted(Path(root).iterdir())
    except OSError:
        return None
    for place in places:
        if _number(place / "type") == number:
            return place.name
    return None


def pmu_number(name: str, root: str = _ROOT) -> int | None:
    """Return the number of the source of that name ("kprobe"); None: the kernel lacks it."""
    return _number(Path(root, name, "type"))


def pmu_bit(name: str, field: str, root: str = _ROOT) -> int:
    """Return the mask of a one-bit field of a source's config ("kprobe", "retprobe").

    Its file says `config:0`, the number of the bit, which is 0 where it cannot be read.
    """
    try:
        text = Path(root, name, "format", field).read_text()
    except OSError:
        return 1
    digits = text.strip().removeprefix("config:")
    return 1 << int(digits) if digits.isdecimal() and int(digits) < 64 else 1


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
