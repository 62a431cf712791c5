"""Maps and global variables of a loaded object as values of Python, by the object's types."""

from __future__ import annotations

import sys
from functools import cached_property

from bpfctl.btf.types import Datasec, Kind, Var
from bpfctl.errors import KeyNotFoundError, NotFoundError, UsageError
from bpfctl.objects.map import Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.types import VarSecinfo
    from bpfctl.elf.spec import MapSpec, ObjectSpec
    from bpfctl.kernel.fd import Fd

_ONLY_KEY = bytes(4)  # of the map behind a data section


class TypedMap(Map):
    """A map whose keys and values are numbers, text, lists and dicts, as its types say.

    Without types they are bytes; a number is taken for bytes in the machine's order. The values of
    a per-CPU map are lists, one for each possible CPU. `lookup`, `update` and `delete` take bytes.
    """

    def __init__(self, fd: Fd, spec: MapSpec, btf: Btf | None) -> None:
        """Take ownership of the map's descriptor; `spec` and `btf` are the object's."""
        super().__init__(fd)
        self.spec = spec
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

    def read_variable(self, place: VarSecinfo, data: bytes) -> Any:
        """Read a variable from the contents of the section behind this map."""
        return self._reader(self._type_of(place), place.size_bytes)(data, place.offset)

    def encode_variable(self, place: VarSecinfo, value: Any) -> bytes:
        """The bytes of a value for a variable of the section behind this map."""
        return self._encode(self._type_of(place), value)

    def _type_of(self, place: VarSecinfo) -> int:
        assert self._btf is not None
        variable = self._btf.type(place.type_id)
        assert isinstance(variable, Var)
        return variable.type_id

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


class Globals:
    """The global variables of an object by name.

    Before the object is loaded they can be set, constants too; after it those that are not
    constant can be read and set.
    """

    def __init__(self, spec: ObjectSpec) -> None:
        self._spec = spec
        self._wishes: dict[str, str] = {}
        self.loaded: Mapping[str, TypedMap] | None = None

    @property
    def assignments(self) -> tuple[str, ...]:
        """What was set before the load, as the loader takes it ("limit=10")."""
        return tuple(f"{name}={value}" for name, value in self._wishes.items())

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a variable, or a part of one ("cfg.port"). Raises: UsageError, NotFoundError.

        Before the load a value that does not fit is found out when the object loads.
        """
        if self.loaded is None:
            self._wish(name, value)
            return
        one, info = self._place(name)
        data = bytearray(one.lookup(_ONLY_KEY))
        end = info.offset + info.size_bytes
        data[info.offset : end] = one.encode_variable(info, value)
        one.update(_ONLY_KEY, bytes(data))

    def __getitem__(self, name: str) -> Any:
        """Read a variable. Raises: NotFoundError, SyscallError, UsageError before the load."""
        one, info = self._place(name)
        return one.read_variable(info, one.lookup(_ONLY_KEY))

    def _wish(self, name: str, value: Any) -> None:
        if isinstance(value, dict):
            for member, inner in value.items():
                self._wish(f"{name}.{member}", inner)
        elif isinstance(value, (list, tuple)):
            for index, inner in enumerate(value):
                self._wish(f"{name}[{index}]", inner)
        else:
            self._wishes[name] = str(int(value)) if isinstance(value, bool) else str(value)

    def _place(self, name: str) -> tuple[TypedMap, VarSecinfo]:
        btf = self._spec.btf
        if self.loaded is None or btf is None:
            raise UsageError("global variables are read from a loaded object with types")
        for one in self.loaded.values():
            kind = btf.kind_number(one.spec.value_type_id) if one.spec.section else Kind.VOID
            section = btf.type(one.spec.value_type_id) if kind == Kind.DATASEC else None
            for info in section.vars if isinstance(section, Datasec) else ():
                if btf.name(info.type_id) == name:
                    return one, info
        raise NotFoundError(f"no global variable is called {name}", subject=self._spec.path)
