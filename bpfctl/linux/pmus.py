"""Sources of perf events (PMUs), by the numbers the kernel gave them."""

from __future__ import annotations

from pathlib import Path


def pmu_name(number: int, root: str = "/sys/bus/event_source/devices") -> str | None:
    """Return the name of the source with that number ("cpu_clock", "uncore_imc"), or None.

    Numbers above those of enum perf_type_id are given at boot (perf_pmu_register,
    kernel/events/core.c, Linux 2.6.38).
    """
    try:
        places = sorted(Path(root).iterdir())
    except OSError:
        return None
    for place in places:
        try:
            if int((place / "type").read_text()) == number:
                return place.name
        except (OSError, ValueError):
            continue
    return None
