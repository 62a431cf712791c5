"""What the kernel tells of an object: OBJ_GET_INFO_BY_FD (kernel/bpf/syscall.c, Linux 4.13).

The structs grow with the kernel. An older kernel fills less than we ask for, a newer one knows
more than we do; `Info` keeps how much was filled, so that an absent field is None and not 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfctl.kernel.attr_object import obj_info
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.layout import field_end
from bpfctl.kernel.libc import ffi

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfctl.kernel.request import Descriptor

# Lengths the kernel reports are its own, but what is behind a descriptor may be hostile.
_MOST_BYTES = 256 << 20


class Info:
    """One filled struct. Fields that the kernel did not fill read as None."""

    def __init__(self, struct: Any, filled: int, tails: list[Any]) -> None:
        self.struct = struct
        self.filled = filled
        self._tails = tails  # what the struct's pointers refer to

    def knows(self, name: str) -> bool:
        """Say whether the kernel filled a field ("run_cnt", or a path: "tcx.ifindex").

        Raises: KeyError for a name the struct does not have.
        """
        return field_end(ffi.typeof(self.struct).item.cname, name) <= self.filled

    def number(self, name: str) -> int | None:
        """Return a field as a number, or None where this kernel does not have it."""
        return int(self._get(name)) if self.knows(name) else None

    def text(self, name: str) -> str:
        """Return a field of characters up to its zero; what is not UTF-8 survives as surrogates."""
        return self.raw(name).split(b"\0")[0].decode("utf-8", "surrogateescape")

    def raw(self, name: str) -> bytes:
        """Return a field of bytes whole ("tag")."""
        return bytes(ffi.buffer(self._get(name)))

    def _get(self, name: str) -> Any:
        place = self.struct
        for part in name.split("."):
            place = getattr(place, part)
        return place


def _ask(fd: Descriptor, struct: Any, tails: list[Any]) -> Info:
    attr = obj_info(fd, struct)
    bpf(attr)
    return Info(struct, attr.filled, tails)


def _info(kind: str, fd: Descriptor, want: Callable[[Any, Any, list[Any]], bool] | None) -> Info:
    """Ask once; where `want` then sets pointers for tails, ask again with them."""
    first = _ask(fd, ffi.new(f"struct {kind} *"), [])
    if want is None:
        return first
    second = ffi.new(f"struct {kind} *")
    tails: list[Any] = []
    return _ask(fd, second, tails) if want(first.struct, second, tails) else first


def _buffer(count: int, item_bytes: int, tails: list[Any]) -> int:
    """Make room for a tail and return its address."""
    size = min(count * item_bytes, _MOST_BYTES)
    place = ffi.new("uint8_t[]", size)
    tails.append(place)
    return int(ffi.cast("uintptr_t", place))


def prog_info(fd: Descriptor) -> Info:
    """Return `struct bpf_prog_info`, without tails. Raises: SyscallError."""
    return _info("bpf_prog_info", fd, None)


def map_info(fd: Descriptor) -> Info:
    """Return `struct bpf_map_info`. Raises: SyscallError."""
    return _info("bpf_map_info", fd, None)


def link_info(fd: Descriptor) -> Info:
    """Return `struct bpf_link_info` without its tails (`link_text` reads names).

    Raises: SyscallError.
    """
    return _info("bpf_link_info", fd, None)


def prog_map_ids(fd: Descriptor) -> list[int]:
    """Return the ids of the maps a program uses."""
    tails: list[Any] = []

    def want(first: Any, second: Any, kept: list[Any]) -> bool:
        second.nr_map_ids = first.nr_map_ids
        second.map_ids = _buffer(first.nr_map_ids, 4, kept)
        tails.extend(kept)
        return bool(first.nr_map_ids)

    info = _info("bpf_prog_info", fd, want)
    if not tails:
        return []
    data = bytes(ffi.buffer(tails[0]))[: 4 * info.struct.nr_map_ids]
    return [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]


def prog_func_info(fd: Descriptor) -> tuple[bytes, int]:
    """Return a program's function records and the bytes of one; (b"", 0) without any."""
    tails: list[Any] = []

    def want(first: Any, second: Any, kept: list[Any]) -> bool:
        second.nr_func_info = first.nr_func_info
        second.func_info_rec_size = first.func_info_rec_size
        second.func_info = _buffer(first.nr_func_info, first.func_info_rec_size, kept)
        tails.extend(kept)
        return bool(first.nr_func_info)

    info = _info("bpf_prog_info", fd, want)
    if not tails:
        return b"", 0
    size = int(info.struct.func_info_rec_size)
    return bytes(ffi.buffer(tails[0]))[: size * info.struct.nr_func_info], size


def prog_xlated(fd: Descriptor) -> bytes:
    """Return a program's instructions after the verifier rewrote them; b"" where withheld."""
    tails: list[Any] = []

    def want(first: Any, second: Any, kept: list[Any]) -> bool:
        second.xlated_prog_len = first.xlated_prog_len
        second.xlated_prog_insns = _buffer(first.xlated_prog_len, 1, kept)
        tails.extend(kept)
        return bool(first.xlated_prog_len)

    info = _info("bpf_prog_info", fd, want)
    if not tails or not info.struct.xlated_prog_insns:
        return b""
    return bytes(ffi.buffer(tails[0]))[: info.struct.xlated_prog_len]


def btf_info(fd: Descriptor) -> tuple[Info, str]:
    """Return `struct bpf_btf_info` and the name of the type information ("vmlinux")."""
    tails: list[Any] = []

    def want(first: Any, second: Any, kept: list[Any]) -> bool:
        del first
        second.name_len = 64
        second.name = _buffer(64, 1, kept)
        tails.extend(kept)
        return True

    info = _info("bpf_btf_info", fd, want)
    name = bytes(ffi.buffer(tails[0])).split(b"\0")[0] if info.knows("name_len") else b""
    return info, name.decode("utf-8", "surrogateescape")


def btf_data(fd: Descriptor) -> bytes:
    """Return the type information itself."""
    tails: list[Any] = []

    def want(first: Any, second: Any, kept: list[Any]) -> bool:
        second.btf_size = first.btf_size
        second.btf = _buffer(first.btf_size, 1, kept)
        tails.extend(kept)
        return bool(first.btf_size)

    info = _info("bpf_btf_info", fd, want)
    return bytes(ffi.buffer(tails[0]))[: info.struct.btf_size] if tails else b""


def link_text(fd: Descriptor, part: str, pointer: str, length: str) -> str:
    """Return a name that the kernel writes behind a link's struct.

    For a raw tracepoint ("raw_tracepoint", "tp_name", "tp_name_len"), for an iterator
    ("iter", "target_name", "target_name_len"). "" where this kernel does not tell.
    """
    size = 256
    struct = ffi.new("struct bpf_link_info *")
    tails: list[Any] = []
    place = struct
    for name in part.split("."):
        place = getattr(place, name)
    setattr(place, length, size)
    setattr(place, pointer, _buffer(size, 1, tails))
    _ask(fd, struct, tails)
    found = bytes(ffi.buffer(tails[0])).split(b"\0")[0]
    return found.decode("utf-8", "surrogateescape")
