"""Keep a verifier log that is too long for the screen in a file nobody else can tamper with.

Root runs this. In a directory that others may write to, they could lay a link at a name they can
guess: so the directory is our own, and is checked to be. Nobody else may read the file either, for
logs have addresses of the kernel in them. It replaces the log of the last program of that name, and
old ones go when all together take too much memory.
"""

from __future__ import annotations

import os
import re
import tempfile

from bpfctl.linux.run_files import FOLDER, RunFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.errors import VerifierError

_ODD: Final = re.compile(r"[^A-Za-z0-9_.-]|^\.")
_NAME_CHARS: Final = 64
_MODE: Final = 0o600
_SUFFIX: Final = ".log"
_MOST_BYTES: Final = 64 << 20  # of all logs: /run is memory


def save_log(err: VerifierError) -> str | None:
    """Write the log and return its path; None when no place takes it (a full disk, read-only)."""
    name = (_ODD.sub("_", err.program or "")[:_NAME_CHARS] or "program") + _SUFFIX
    data = err.log.encode("utf-8", "backslashreplace")
    for folder in _folders():
        files = RunFiles(folder, os.geteuid(), _MODE)
        if files.write(name, data):
            files.trim(_SUFFIX, _MOST_BYTES)
            return f"{folder}/{name}"
    return None


def _folders() -> Iterator[str]:
    """Yield where to try: the place for such files, then one with a name nobody can guess."""
    if os.geteuid() == 0:
        yield FOLDER
    elif session := os.environ.get("XDG_RUNTIME_DIR"):
        yield f"{session}/bpfctl"
    try:
        yield tempfile.mkdtemp(prefix="bpfctl-")
    except OSError:
        return
