"""The next suite's clang in a tree of its own: the selftests want a newer one than is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus import places
from tests.corpus.debian import NEXT
from tests.vm import apt
from tests.vm.cache import built
from tests.vm.errors import patiently
from tests.vm.tools import run

if TYPE_CHECKING:
    from pathlib import Path

CLANG = "clang-19"


def tree() -> Path:
    """Return a directory to change root to, built when it is missing. Raises: VmError."""
    place = places.work() / CLANG
    if not place.is_dir():
        patiently(f"install {CLANG} in a tree", lambda: _build(place))
    return place


def _build(place: Path) -> None:
    print(f"tests.corpus: installing {CLANG} in a tree, once; this takes some minutes", flush=True)
    with built(place) as work:
        keyring = [f"--keyring={apt.KEYRING}"] if apt.KEYRING.exists() else []
        run(
            *("debootstrap", "--variant=minbase", *keyring, f"--include={CLANG}"),
            *(NEXT, str(work), apt.archives()[apt.DEBIAN]),
        )
