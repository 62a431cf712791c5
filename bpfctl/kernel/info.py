"""What the kernel tells of an object: OBJ_GET_INFO_BY_FD (kernel/bpf/syscall.c, Linux 4.13).

The structs grow with the kernel. An older kernel fills less than we ask for, a newer one knows
more than we do; `Info` keeps how much was filled, so that an absent field is None and not 0.
What is variable in length (a "tail") is written behind pointers in the struct: ask once for the
count, then again with room for it.
"""

from __future__ import annotations

import errno

from bpfctl.errors import SyscallError
from bpfctl.kernel.attr_object import obj_info
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.layout import field_end
from bpfctl.kernel.libc import ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bpfctl.kernel.request import Descriptor

# Counts are the kernel's own, but what is behind a descriptor may be hostile.
_MOST_BYTES = 256 << 20
# Names behind a struct are paths at the longest (PATH_MAX, include/uapi/linux/limits.h).
_NAME_BYTES = 4096


class Info:
    """One filled struct. Fields that the kernel did not fill read as None."""

    def __init__(self, struct: Any, filled: int) -> None:
        self.struct = struct
        self.filled = filled

    def knows(self, name: str) -> bool:
        """Say whether the kernel filled a field ("run_cnt", or a path: "tcx.ifindex").

        Raises: KeyError for a name the struct does not have.
        """
        return field_end(ffi.typeof(self.struct).item.cname, name) <= self.filled

    def number(self, name: str) -> int | None:
        """Return a field as a number, or None where this kernel does not have it."""
        return int(_get(self.struct, name)) if self.knows(name) else None

    def text(self, name: str) -> str:
        """Return a field of characters up to its zero; what is not UTF-8 survives as surrogates."""
        return _words(self.raw(name))

    def raw(self, name: str) -> bytes:
        """Return a field of bytes whole ("tag")."""
        return bytes(ffi.buffer(_get(self.struct, name)))


def prog_info(fd: Descriptor) -> Info:
    """Return `struct bpf_prog_info`, without tails. Raises: SyscallError."""
    return _ask(fd, ffi.new("struct bpf_prog_info *"))


def map_info(fd: Descriptor) -> Info:
    """Return `struct bpf_map_info`. Raises: SyscallError."""
    return _ask(fd, ffi.new("struct bpf_map_info *"))


def link_info(fd: Descriptor) -> Info:
    """Return `struct bpf_link_info` without its tails (`link_text` reads names).

    Raises: SyscallError.
    """
    return _ask(fd, ffi.new("struct bpf_link_info *"))


def btf_info(fd: Descriptor) -> tuple[Info, str]:
    """Return `struct bpf_btf_info` and the name of the type information ("vmlinux").

    The name is "" before Linux 5.11, and for what a process loaded. Raises: SyscallError.
    """
    info = _ask(fd, ffi.new("struct bpf_btf_info *"))
    if not info.number("name_len"):
        return info, ""
    return info, _name(fd, ffi.new("struct bpf_btf_info *"), "name", "name_len")


def prog_map_ids(fd: Descriptor) -> list[int]:
    """Return the ids of the maps a program uses. Raises: SyscallError."""
    found = _tail(fd, "bpf_prog_info", "map_ids", "nr_map_ids", 4)
    return memoryview(found).cast("I").tolist()


def prog_func_info(fd: Descriptor) -> tuple[bytes, int]:
    """Return a program's function records and the bytes of one; (b"", 0) without any.

    Raises: SyscallError.
    """
    return _records(fd, "func_info")


def prog_line_info(fd: Descriptor) -> tuple[bytes, int]:
    """Return a program's line records and the bytes of one; (b"", 0) without any.

    Raises: SyscallError.
    """
    return _records(fd, "line_info")


def prog_xlated(fd: Descriptor) -> bytes:
    """Return a program's instructions after the verifier rewrote them; b"" where withheld.

    Raises: SyscallError.
    """
    return _tail(fd, "bpf_prog_info", "xlated_prog_insns", "xlated_prog_len", 1)


def prog_jited(fd: Descriptor) -> bytes:
    """Return a program's machine code; b"" without a JIT, or where withheld.

    Raises: SyscallError.
    """
    return _tail(fd, "bpf_prog_info", "jited_prog_insns", "jited_prog_len", 1)


def btf_data(fd: Descriptor) -> bytes:
    """Return the type information itself. Raises: SyscallError."""
    return _tail(fd, "bpf_btf_info", "btf", "btf_size", 1)


def link_text(fd: Descriptor, part: str, pointer: str, length: str) -> str:
    """Return a name that the kernel writes behind a link's struct.

    For a raw tracepoint ("raw_tracepoint", "tp_name", "tp_name_len"), for an iterator
    ("iter", "target_name", "target_name_len"), for a probe of a perf event
    ("perf_event.kprobe", "func_name", "name_len"). "" where this kernel does not tell.
    Raises: SyscallError.
    """
    return _name(fd, ffi.new("struct bpf_link_info *"), f"{part}.{pointer}", f"{part}.{length}")


# --- how it is asked


def _ask(fd: Descriptor, struct: Any) -> Info:
    attr = obj_info(fd, struct)
    bpf(attr)
    return Info(struct, attr.filled)


def _records(fd: Descriptor, name: str) -> tuple[bytes, int]:
    """Read records whose size the kernel tells with their count."""
    size = prog_info(fd).number(f"{name}_rec_size") or 0
    records = _tail(fd, "bpf_prog_info", name, f"nr_{name}", size, size_field=f"{name}_rec_size")
    return (records, size) if records else (b"", 0)


def _tail(
    fd: Descriptor, kind: str, pointer: str, count: str, item_bytes: int, *, size_field: str = ""
) -> bytes:
    """Ask for the count of a tail, make room, and ask for the tail itself."""
    room = (_ask(fd, ffi.new(f"struct {kind} *")).number(count) or 0) * item_bytes
    if not 0 < room <= _MOST_BYTES:
        return b""
    place = bytearray(room)
    struct = ffi.new(f"struct {kind} *")
    buffer = _point(struct, pointer, place)
    _set(struct, count, room // item_bytes)
    if size_field:
        _set(struct, size_field, item_bytes)
    found = _ask(fd, struct)
    ffi.release(buffer)
    if not found.number(pointer):  # withheld: bpf_dump_raw_ok() said no
        return b""
    return bytes(place[: (found.number(count) or 0) * item_bytes])


def _name(fd: Descriptor, struct: Any, pointer: str, length: str) -> str:
    place = bytearray(_NAME_BYTES)
    buffer = _point(struct, pointer, place)
    _set(struct, length, _NAME_BYTES)
    try:
        _ask(fd, struct)
    except SyscallError as err:
        if err.errno != errno.E2BIG:  # fields of a struct that grew after this kernel
            raise
        return ""
    finally:
        ffi.release(buffer)
    return _words(place)


def _point(struct: Any, name: str, place: bytearray) -> Any:
    """Let a pointer field refer to a buffer; the result keeps the buffer in its place."""
    buffer = ffi.from_buffer(place, require_writable=True)
    _set(struct, name, int(ffi.cast("uintptr_t", buffer)))
    return buffer


def _get(struct: Any, path: str) -> Any:
    for part in path.split("."):
        struct = getattr(struct, part)
    return struct


def _set(struct: Any, path: str, value: int) -> None:
    outer, _, name = path.rpartition(".")
    setattr(_get(struct, outer) if outer else struct, name, value)


def _words(data: bytes | bytearray) -> str:
    return bytes(data).split(b"\0")[0].decode("utf-8", "surrogateescape")
