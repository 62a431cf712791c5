"""Arrays that the kernel writes behind a link's struct."""

from __future__ import annotations

from array import array

from bpfctl.errors import SyscallError
from bpfctl.kernel.attr_object import obj_info
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.libc import ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bpfctl.kernel.request import Descriptor

_PATH_BYTES = 4096  # PATH_MAX
_MOST_ITEMS = 1 << 20  # of one multi link (MAX_KPROBE_MULTI_CNT, kernel/trace/bpf_trace.c)


def link_numbers(
    fd: Descriptor, part: str, fields: Sequence[str], count: int
) -> dict[str, list[int]]:
    """Return arrays of 64-bit numbers by their fields ("kprobe_multi", ["addrs", "cookies"]).

    All have `count` numbers, the one that the struct tells. An empty answer where the kernel
    lacks one of the fields or the link changed. Raises nothing.
    """
    if not 0 < count <= _MOST_ITEMS:
        return {}
    struct = ffi.new("struct bpf_link_info *")
    place = getattr(struct, part)
    tails = {name: ffi.new("uint64_t[]", count) for name in fields}
    place.count = count
    for name, tail in tails.items():
        setattr(place, name, _address(tail))
    try:
        bpf(obj_info(fd, struct))
    except SyscallError:
        return {}
    return {name: _unpack(tail) for name, tail in tails.items()}


def link_path(fd: Descriptor) -> str:
    """Return the path of the file that a uprobe_multi link probes; "" where it is not told."""
    struct = ffi.new("struct bpf_link_info *")
    path = ffi.new("char[]", _PATH_BYTES)
    struct.uprobe_multi.path = _address(path)
    struct.uprobe_multi.path_size = _PATH_BYTES
    try:
        bpf(obj_info(fd, struct))
    except SyscallError:
        return ""
    found: bytes = ffi.string(path)
    return found.decode("utf-8", "surrogateescape")


def _address(place: Any) -> int:
    return int(ffi.cast("uintptr_t", place))


def _unpack(tail: Any) -> list[int]:
    numbers: array[int] = array("Q")
    numbers.frombytes(bytes(ffi.buffer(tail)))
    return numbers.tolist()
