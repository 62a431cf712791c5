"""The argument of bpf(2): a zeroed union, the buffers it points to, and the smallest size."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.kernel.bpf import command_name
from bpfctl.kernel.layout import field_end
from bpfctl.kernel.libc import ffi
from bpfctl.plain_typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bpfctl.kernel.uapi import Cmd


class HasFileno(Protocol):
    """Anything with a descriptor: Fd, a file."""

    def fileno(self) -> int:
        """Return the descriptor."""


Descriptor = int | HasFileno
Buffer = bytes | bytearray | memoryview

_NAME_BYTES = 15  # BPF_OBJ_NAME_LEN is 16 and counts the zero
_NAME_EXTRA = frozenset(b"_.")


class Attr:
    """One request: `cmd`, what we want from it (`doing`), and a zeroed `union bpf_attr`.

    The size handed to the kernel covers the fields that are not zero and ends there, so that an
    old kernel accepts what it can (bpf_check_uarg_tail_zero, kernel/bpf/syscall.c). `through`
    names the last field to cover all the same: some results are written only if the size reaches
    them. The buffer itself always has our full size. `fields` names those that were set to more
    than 0 ("link_create.flags").
    """

    def __init__(self, cmd: Cmd, doing: str, *, through: str = "") -> None:
        self.cmd = cmd
        self.doing = doing
        self.union: Any = ffi.new("union bpf_attr *")
        self._least = field_end("union bpf_attr", through) if through else 0
        self._alive: list[Any] = []
        self.fields: list[str] = []

    @property
    def call(self) -> str:
        """The command in the UAPI's words ("BPF_MAP_CREATE")."""
        return command_name(self.cmd)

    @property
    def size(self) -> int:
        """The smallest size in bytes that covers the fields in use, a multiple of 4."""
        used = len(bytes(ffi.buffer(self.union)).rstrip(b"\0"))
        return max((used + 3) & ~3, self._least)

    def set(self, part: str = "", /, **fields: int) -> None:
        """Set number fields of the union, or of one of its named structs ("link_create").

        Raises: UsageError for a number that the field cannot hold.
        """
        place = self.union
        for name in part.split(".") if part else ():
            place = getattr(place, name)
        for name, value in fields.items():
            if value:
                self._set(place, name, value)
                # Whole fields: a pointer below 4 GiB ends in zeros, as in Debian's own Python.
                path = f"{part}.{name}" if part else name
                self._least = max(self._least, field_end("union bpf_attr", path))
                self.fields.append(path)

    def _set(self, place: Any, name: str, value: int) -> None:
        try:
            setattr(place, name, value)
        except OverflowError as err:
            message = f"{self.doing}: {name} cannot be {value}: {err}"
            raise UsageError(message, code="number-out-of-range") from err

    def value(self, path: str) -> int:
        """Return a number field of the union ("map_type", "link_create.flags")."""
        place = self.union
        for name in path.split("."):
            place = getattr(place, name)
        return int(place)

    def pointer(self, data: Buffer | Any | None) -> int:
        """Return the address of a buffer as a number, and keep the buffer alive; 0 for none.

        `data` is bytes, something writable the kernel fills, or a cffi array. Empty is NULL.
        """
        if data is None or (not isinstance(data, ffi.CData) and len(data) == 0):
            return 0
        place = data if isinstance(data, ffi.CData) else ffi.from_buffer(data)
        self._alive.append(place)
        return int(ffi.cast("uintptr_t", place))

    def numbers(self, values: Sequence[int]) -> int:
        """Return the address of an array of 64-bit numbers, 0 for none."""
        return self.pointer(ffi.new("uint64_t[]", list(values))) if values else 0

    def text(self, value: str) -> int:
        """Return the address of a C string. Raises: UsageError for a zero byte inside."""
        encoded = value.encode("utf-8", "surrogateescape")
        if b"\0" in encoded:
            raise UsageError(f"{self.doing}: {value!r} has a zero byte", code="zero-byte")
        return self.pointer(encoded + b"\0")


def descriptor(fd: Descriptor) -> int:
    """Return the number of a descriptor."""
    return fd if isinstance(fd, int) else fd.fileno()


def object_name(name: str) -> bytes:
    """Return a name the kernel takes: cut at 15 bytes, other than [A-Za-z0-9_.] replaced by "_".

    Source: bpf_obj_name_cpy, kernel/bpf/syscall.c.
    """
    encoded = name.encode("utf-8", "surrogateescape")[:_NAME_BYTES]
    return bytes(
        byte if byte in _NAME_EXTRA or bytes((byte,)).isalnum() else 0x5F for byte in encoded
    )
