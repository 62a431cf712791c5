"""Static probes that programs carry (USDT): ELF notes with place, name and arguments.

Source: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation (format 3).
"""

from __future__ import annotations

import struct

from bpfctl.errors import ObjectFileError
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.elf.binary import Binary

_NOTES: Final = ".note.stapsdt"
_BASE: Final = ".stapsdt.base"
_OWNER: Final = b"stapsdt\0"
_TYPE: Final = 3
_HEADER: Final = struct.Struct("<III")  # sizes of owner and description, type


class UsdtNote(NamedTuple):
    """One place of a probe: offsets into the file; the semaphore's is 0 where it has none.

    `args` says where the arguments are ("-4@%edi 8@-16(%rbp)"); `address` is the place as linked.
    """

    provider: str
    name: str
    args: str
    offset: int
    semaphore_offset: int = 0
    address: int = 0


def usdt_notes(binary: Binary) -> Iterator[UsdtNote]:
    """Yield the probes of a file, in its order. Raises: ObjectFileError."""
    base = next((one.address for one in binary.sections if one.name == _BASE), None)
    for section in binary.sections:
        if section.name == _NOTES:
            for description in _descriptions(binary.bytes_of(section)):
                yield _note(binary, description, base)


def _descriptions(data: bytes) -> Iterator[bytes]:
    at = 0
    while at <= len(data) - _HEADER.size:
        owner_size, size, kind = _HEADER.unpack_from(data, at)
        owner_at = at + _HEADER.size
        start = owner_at + (owner_size + 3 & ~3)
        if kind == _TYPE and data[owner_at : owner_at + owner_size] == _OWNER:
            yield data[start : start + size]
        at = start + (size + 3 & ~3)


def _note(binary: Binary, description: bytes, base: int | None) -> UsdtNote:
    words = struct.Struct("<3Q" if binary.word_bytes == 8 else "<3I")
    texts = description[words.size :].split(b"\0")
    if len(texts) < 3:
        raise ObjectFileError("a probe's note is cut", path=binary.path, section=_NOTES)
    place, noted_base, semaphore = words.unpack_from(description)
    moved = (base - noted_base) if base is not None and noted_base else 0  # by prelink
    provider, name, args = (text.decode("utf-8", "replace") for text in texts[:3])
    offset = binary.file_offset(place + moved)
    if offset is None:
        raise ObjectFileError(
            f"probe {provider}:{name} lies outside of the code", path=binary.path, section=_NOTES
        )
    counter = binary.file_offset(semaphore + moved) if semaphore else 0
    return UsdtNote(provider, name, args, offset, counter or 0, place + moved)
