"""Lockdown, the active Linux security modules, seccomp, and who may open perf events."""

from __future__ import annotations

from pathlib import Path


def lockdown_mode(path: str = "/sys/kernel/security/lockdown") -> str | None:
    """Return "none", "integrity" or "confidentiality"; None where it cannot be read.

    The file marks the mode in force with brackets: "none [integrity] confidentiality".
    """
    try:
        text = Path(path).read_text()
    except OSError:
        return None
    start, end = text.find("["), text.find("]")
    return text[start + 1 : end] if 0 <= start < end else None


def active_lsms(path: str = "/sys/kernel/security/lsm") -> list[str] | None:
    """Return the names of the active security modules in their order; None where nothing tells.

    The kernel is asked where securityfs is not mounted (Linux 6.8 and later answer).
    """
    try:
        text = Path(path).read_text()
    except OSError:
        from bpfctl.kernel import lsm

        return lsm.list_modules()
    return [name for name in text.strip().split(",") if name]


def seccomp_filtered(status: str = "/proc/self/status") -> bool | None:
    """Say whether a seccomp filter decides about this process's system calls; None: unknown.

    Source: "Seccomp: 2" is SECCOMP_MODE_FILTER, proc_pid_status(5), Linux 3.8.
    """
    try:
        lines = Path(status).read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("Seccomp:")]
    return found[0] == "2" if found else None


def perf_event_paranoid(path: str = "/proc/sys/kernel/perf_event_paranoid") -> int | None:
    """Return the setting that says who may open perf events; None where it cannot be read.

    Mainline knows -1 to 2. Debian and Ubuntu add levels above, where no perf_event_open(2) goes
    without CAP_SYS_ADMIN ("security,perf: Allow further restriction of perf_event_open").
    """
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None
