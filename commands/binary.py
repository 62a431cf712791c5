"""Write binary files: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bpfctl.errors import PathError


def write_file(path: str, data: bytes) -> None:
    """Write a file under its name when all of it is on the disk; what was there is replaced.

    Devices, pipes and the like are written to as they are. Raises: PathError.
    """
    place = Path(path)
    try:
        if place.exists() and not place.is_file():
            place.write_bytes(data)
            return
        _replace(place.resolve(), data)
    except OSError as err:
        words = (err.strerror or str(err)).lower()
        raise PathError(f"cannot write it: {words}", subject=path) from err


def _replace(place: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~mask)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
