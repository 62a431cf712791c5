"""Maps of a loaded object as values of Python, by the object's types."""

from __future__ import annotations

import os
import sys
from functools import cached_property

from bpfctl.errors import KeyNotFoundError
from bpfctl.objects.map import Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import MapSpec
    from bpfctl.kernel.fd import Fd


class TypedMap(Map):
    """A map whose keys and values are numbers, text, lists and dicts, as its types say.

    Without types they are bytes; a number is taken for bytes in the machine's order. The values of
    a per-CPU map are lists, one for each possible CPU. `lookup`, `update` and `delete` take bytes.
    `memory` is that of an arena, which programs share, until the object is closed.
    """

    def __init__(
        self, fd: Fd, spec: MapSpec, btf: Btf | None, memory: memoryview | None = None
    ) -> None:
        """Take ownership of the map's descriptor; `spec` and `btf` are the object's."""
        super().__init__(fd)
        self.spec = spec
        self.memory = memory
        self._btf = btf

    def __getitem__(self, key: Any) -> Any:
        """The value of a key. Raises: KeyNotFoundError, SyscallError, UsageError."""
        return self._value(self.lookup(self._encode(self.spec.key_type_id, key)))

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key, `default` where there is none. Raises: SyscallError, UsageError."""
        try:
            return self[key]
        except KeyNotFoundError:
            return default

    def __setitem__(self, key: Any, value: Any) -> None:
        """Set the value of a key. Raises: SyscallError, UsageError."""
        packed = self._encode(self.spec.key_type_id, key)
        if not self.per_cpu:
            self.update(packed, self._encode(self.spec.value_type_id, value))
            return
        each = value if isinstance(value, list) else [value] * self.slots
        parts = [self._encode(self.spec.value_type_id, one) for one in each]
        self.update(packed, b"".join(part.ljust(self.slot_size, b"\0") for part in parts))

    def __delitem__(self, key: Any) -> None:
        """Remove a key. Raises: KeyNotFoundError, SyscallError, UsageError."""
        self.delete(self._encode(self.spec.key_type_id, key))

    def entries(self) -> Iterator[tuple[Any, Any]]:
        """Yield every key with its value. Raises: BpfctlError for a map that cannot be listed."""
        for key, value in self.items():
            yield self._read_key(key, 0), self._value(value)

    def records(self, timeout_s: float | None = None) -> Iterator[bytes]:
        """Yield the records of a ring buffer as they come; `Object.decode` reads them by type.

        It ends when none came for that long: 0 takes what is there, None waits for ever.
        Raises: UsageError for another type of map, SyscallError.
        """
        from bpfctl.objects.ring_buffer import RingBuffer

        return RingBuffer(self).records(timeout_s)

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Keep it under a path of a bpffs. Raises: PathError, SyscallError."""
        from bpfctl.objects.pin import pin

        pin(self.fd, os.fspath(path))

    def __repr__(self) -> str:
        return f"<{self.info.type_name} map {self.info.id} {self.spec.name}>"

    def _value(self, data: bytes) -> Any:
        if not self.per_cpu:
            return self._read_value(data, 0)
        return [self._read_value(data, at) for at in range(0, len(data), self.slot_size)]

    @cached_property
    def _read_key(self) -> Callable[[bytes, int], Any]:
        return self._reader(self.spec.key_type_id, self.info.bytes_key)

    @cached_property
    def _read_value(self) -> Callable[[bytes, int], Any]:
        return self._reader(self.spec.value_type_id, self.info.bytes_value)

    def _reader(self, type_id: int, size: int) -> Callable[[bytes, int], Any]:
        if self._btf is None or not type_id:
            return lambda data, at: data[at : at + size]
        from bpfctl.btf.values import compile_reader

        return compile_reader(self._btf, type_id, size_bytes=size)

    def _encode(self, type_id: int, value: Any) -> bytes:
        if self._btf is not None and type_id:
            from bpfctl.btf.encode_value import encode_value

            return encode_value(self._btf, type_id, value)
        if isinstance(value, int):
            size = self.info.bytes_key
            return value.to_bytes(size, sys.byteorder, signed=value < 0)
        return bytes(value)
