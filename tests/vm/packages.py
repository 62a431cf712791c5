"""Packages of an index, and which of them is the newest."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cmp_to_key
from typing import TYPE_CHECKING

from tests.vm.errors import VmError
from tests.vm.tools import program

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Package:
    """What an index says of a package: enough to fetch and verify it."""

    name: str
    version: str
    filename: str
    sha256: str


def packages(index: str, pattern: str) -> Iterator[Package]:
    """Yield the packages whose whole name matches a regular expression."""
    for found in re.finditer(rf"^Package: ({pattern})$", index, re.MULTILINE):
        end = index.find("\n\n", found.start())
        fields = _fields(index[found.start() : end if end >= 0 else len(index)])
        try:
            yield Package(
                fields["Package"], fields["Version"], fields["Filename"], fields["SHA256"]
            )
        except KeyError as err:
            raise VmError(f"the index lacks {err} for {fields['Package']}") from err


def _fields(paragraph: str) -> dict[str, str]:
    pairs = (line.partition(": ") for line in paragraph.splitlines() if not line.startswith(" "))
    return {name: value for name, _, value in pairs}


def newest(index: str, pattern: str) -> Package:
    """Return the package of highest version. Raises: VmError when none matches."""
    found = max(packages(index, pattern), key=cmp_to_key(_compare), default=None)
    if found is None:
        raise VmError(f"the index has no package called {pattern}")
    return found


def _compare(one: Package, other: Package) -> int:
    """Compare versions as dpkg does (deb-version(7)), and names where versions are the same."""
    if one.version == other.version:
        return (one.name > other.name) - (one.name < other.name)
    words = [program("dpkg"), "--compare-versions", one.version, "gt", other.version]
    return 1 if subprocess.run(words, check=False).returncode == 0 else -1
