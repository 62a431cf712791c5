"""What bpftool's header of the same types declares: ours must have all of it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Definitions that begin a line, and names at the end of typedefs: of arrays and functions too.
_TAG = re.compile(r"^(struct|union|enum) (\w+) \{", re.MULTILINE)
_TYPEDEF = re.compile(
    r"^(?:typedef [^{}\n]*?(?:\{\} )?|\} )(?:\(\*)?(\w+)(?:\)\(.*\)|(?:\[\d*\])+)?;$", re.MULTILINE
)
_CONSTANT = re.compile(r"^\t+(\w+) = -?\d+U?L*,$", re.MULTILINE)
_NUMBERED = re.compile(r"___\d+$")  # which of several gets which number is each tool's choice


def peer_header(types: Path) -> str:
    """The header that bpftool writes. Raises: CalledProcessError when it cannot read the types."""
    words = ["bpftool", "btf", "dump", "file", str(types), "format", "c"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def declared(header: str) -> set[str]:
    """The names of structs, unions and enums with bodies, of typedefs, and of constants."""
    tags = {f"{word} {_plain(name)}" for word, name in _TAG.findall(header)}
    others = {_plain(one) for some in (_TYPEDEF, _CONSTANT) for one in some.findall(header)}
    return tags | others


def _plain(name: str) -> str:
    return _NUMBERED.sub("", name)
