"""`bpfctl version`: which bpfctl, which Python, which kernel."""

from __future__ import annotations

import os
import platform

from bpfctl.plain import plain

from .declare import Noun
from .render import render_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .declare import Call

app = Noun()


@plain
class VersionRecord:
    """The versions that a report of a fault needs."""

    version: str
    python: str
    kernel: str
    machine: str

    def to_json(self) -> dict[str, object]:
        """Return the fields; `features` answers bpftool's questions about its own build."""
        return {
            "version": self.version,
            "python": self.python,
            "kernel": self.kernel,
            "machine": self.machine,
            "features": {"libbfd": False, "libbpf_strict": True, "skeletons": False},
        }


@app.command()
def version(call: Call) -> None:
    """Show the versions of bpfctl, Python and the running kernel."""
    record = read_versions()
    fields = (
        ("bpfctl", record.version),
        ("python", record.python),
        ("kernel", f"{record.kernel} {record.machine}"),
    )
    render_one(call.out, record, fields)


def read_versions() -> VersionRecord:
    """Ask the package and the system."""
    system = os.uname()
    return VersionRecord(_own(), platform.python_version(), system.release, system.machine)


def _own() -> str:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("bpfctl")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"
