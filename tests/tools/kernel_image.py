"""Find the type information inside a kernel image."""

from __future__ import annotations

import lzma
import subprocess
import zlib
from typing import TYPE_CHECKING

from bpfctl.btf.decode import Btf
from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError

if TYPE_CHECKING:
    from collections.abc import Iterator

# The header's first eight bytes: magic 0xeb9f, version 1, no flags, 24 bytes long.
MAGIC = bytes.fromhex("9feb010018000000")
# Where a compressed kernel may begin: the formats that CONFIG_KERNEL_* offers and Debian uses.
ZSTD, GZIP, XZ = bytes.fromhex("28b52ffd"), bytes.fromhex("1f8b08"), bytes.fromhex("fd377a585a00")


def btf_of(data: bytes) -> Btf:
    """Return the type information of a blob of it, of a vmlinux, or of a compressed kernel.

    Raises: BtfError when there is none.
    """
    for plain in _unpacked(data):
        for at in _places(plain, MAGIC):
            try:
                btf = Btf.parse(plain[at:])
            except BtfError:  # eight bytes that only look like it
                continue
            if btf.find("bpf_attr", Kind.UNION):
                return btf
    raise BtfError("no kernel's type information in these bytes")


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Yield the bytes themselves, then what each place that looks compressed unpacks to."""
    yield data
    for magic, unpack in ((ZSTD, _zstd), (GZIP, _gzip), (XZ, _xz)):
        for at in _places(data, magic):
            found = unpack(data[at:])
            if found:
                yield found


def _places(data: bytes, wanted: bytes) -> Iterator[int]:
    at = data.find(wanted)
    while at >= 0:
        yield at
        at = data.find(wanted, at + 1)


def _zstd(data: bytes) -> bytes:
    """Unpack by the zstd program (Python has it from 3.14); it complains of what follows."""
    done = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=False)
    return done.stdout


def _gzip(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(data)
    except zlib.error:
        return b""


def _xz(data: bytes) -> bytes:
    try:
        return lzma.LZMADecompressor().decompress(data)
    except lzma.LZMAError:
        return b""
