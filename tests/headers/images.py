"""The types of a kernel from its boot image, without starting it.

Source: Documentation/arch/x86/boot.rst, Linux 6.18 (setup_sects, payload_offset, payload_length).
"""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

from bpfctl.objects.btf_source import raw_btf

if TYPE_CHECKING:
    from pathlib import Path

SETUP_SECTS, PAYLOAD = 0x1F1, 0x248
MAGICS = {
    b"\x1f\x8b": ("gzip", "-dc"),
    b"\x02\x21\x4c\x18": ("lz4", "-dcq"),
    b"\xfd7zXZ": ("xz", "-dc", "--single-stream"),
    b"\x28\xb5\x2f\xfd": ("zstd", "-dc"),
}


def image_types(image: Path, scratch: Path) -> bytes:
    """The bytes of the types in a bzImage; `scratch` is where the kernel is unpacked meanwhile."""
    data = image.read_bytes()
    offset, length = struct.unpack_from("<II", data, PAYLOAD)
    begin = (data[SETUP_SECTS] + 1) * 512 + offset
    payload = data[begin : begin + length]
    (command,) = (words for magic, words in MAGICS.items() if payload.startswith(magic))
    # What is behind the compressed kernel (its size) makes the tools complain at the end.
    done = subprocess.run(command, input=payload, capture_output=True, check=False)
    unpacked = scratch / "vmlinux"
    unpacked.write_bytes(done.stdout)
    try:
        return raw_btf(str(unpacked))
    finally:
        unpacked.unlink()
