"""Find the places of a static probe in a file."""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial

from bpfctl.elf.binary import open_binary
from bpfctl.elf.usdt_args import with_distances
from bpfctl.elf.usdt_notes import usdt_notes
from bpfctl.errors import NotFoundError
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.binary import Binary
    from bpfctl.elf.usdt_notes import UsdtNote


class Places(NamedTuple):
    """The places of one probe, at least one; `is_fixed`: they have the same address everywhere."""

    path: str
    notes: list[UsdtNote]
    is_fixed: bool


def find_probe(path: str, provider: str, name: str) -> Places:
    """Return the places of a probe; arguments in variables are told relative to the place.

    Raises: NotFoundError with similar names, PathError, ObjectFileError.
    """
    with open_binary(path) as binary:
        notes = list(usdt_notes(binary))
        found = [one for one in notes if (one.provider, one.name) == (provider, name)]
        if found:
            return Places(path, [_resolved(binary, one) for one in found], binary.is_fixed)
    known = {f"{one.provider}:{one.name}" for one in notes}
    near = get_close_matches(f"{provider}:{name}"[:128], known, n=3)
    raise NotFoundError(
        f"there is no static probe {provider}:{name}",
        code="no-such-probe",
        subject=path,
        evidence=[] if known else ["the file has no static probes (section .note.stapsdt)"],
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )


def _resolved(binary: Binary, note: UsdtNote) -> UsdtNote:
    return note._replace(args=with_distances(note.args, partial(_distance, binary, note)))


def _distance(binary: Binary, note: UsdtNote, variable: str) -> int | None:
    """How far a variable is behind the probe; None unless exactly one has that name."""
    found = binary.data_addresses(variable)
    return found.pop() - note.address if len(found) == 1 else None
