"""What comes out of a machine: a drive that the guest writes an archive to, the status in it.

The drive is empty before. A kernel or a command that dies leaves it so, whatever it printed.
"""

from __future__ import annotations

import shutil
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DRIVE_BYTES = 64 << 20


def make_drive(target: Path) -> None:
    """Write an empty drive."""
    with target.open("wb") as file:
        file.truncate(DRIVE_BYTES)


def read(drive: Path, results: Path) -> int | None:
    """Unpack what a drive holds into `results`, and return the command's exit status.

    None means that the guest never came to its end.
    """
    try:
        with tarfile.open(drive, "r:") as archive:
            _extract(archive, results)
    except (tarfile.TarError, ValueError):
        return None
    status = results / "status"
    if not status.is_file():
        return None
    for found in (results / "results").glob("*"):  # the command's own files
        shutil.move(found, results / found.name)
    shutil.rmtree(results / "results", ignore_errors=True)
    return int(status.read_text())


def _extract(archive: tarfile.TarFile, target: Path) -> None:
    """Write the regular files; Python 3.11.2 of Debian 12 has no filter for extractall yet.

    Raises: ValueError for a name that leads outside, tarfile.TarError for a torn archive.
    """
    base = target.resolve()
    for member in archive:
        place = (base / member.name).resolve()
        place.relative_to(base)
        content = archive.extractfile(member) if member.isfile() else None
        if content is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.read())
