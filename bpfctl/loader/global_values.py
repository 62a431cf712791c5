"""Global variables of an object as values of Python, by its types."""

from __future__ import annotations

from bpfctl.btf.encode_value import write_plain
from bpfctl.btf.values import compile_reader
from bpfctl.errors import UsageError
from bpfctl.kernel.uapi import MapType
from bpfctl.loader.globals import find_variable, initial, variable_names, with_globals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from bpfctl.btf.access import Place
    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import MapSpec, ObjectSpec
    from bpfctl.loader.typed_map import TypedMap

_ONLY_KEY = bytes(4)  # of the map behind a data section


class Globals:
    """The global variables of an object by name, and parts of them ("cfg.port", "peers[1].host").

    Before the object is loaded they have their first values and can be set, constants too; after
    it what is not constant can be set, and all are what programs made of them. Values are numbers,
    text, lists and dicts, as the types say; of a list or dict that is set, what it does not have
    stays as it is. Iterating gives the names.
    """

    def __init__(self, spec: ObjectSpec) -> None:
        self._spec = spec
        self._wishes: list[tuple[str, Any]] = []
        self.loaded: Mapping[str, TypedMap] | None = None

    @property
    def assignments(self) -> tuple[tuple[str, Any], ...]:
        """What was set before the load, as the loader takes it."""
        return tuple(self._wishes)

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a variable. Raises: UsageError (it does not fit, it is constant), NotFoundError."""
        if self.loaded is None:
            self._spec = with_globals(self._spec, [(name, value)])
            self._wishes.append((name, value))
            return
        one, place = find_variable(self._spec, name)
        if one.read_only:
            raise UsageError(
                f"{name} is constant once the object is loaded",
                code="constant-variable",
                subject=self._spec.path,
                remedy="set it before load()",
            )
        behind = self.loaded[one.name]
        data = bytearray(_contents(behind, one))
        write_plain(self._btf, data, place, value)
        if one.type != MapType.ARENA:
            behind.update(_ONLY_KEY, bytes(data))
            return
        assert behind.memory is not None  # its contents were read
        start, end = _bytes_of(self._btf, place)
        behind.memory[start:end] = data[start:end]

    def __getitem__(self, name: str) -> Any:
        """Read a variable. Raises: NotFoundError, UsageError, SyscallError."""
        one, place = find_variable(self._spec, name)
        data = initial(one) if self.loaded is None else _contents(self.loaded[one.name], one)
        return _read(self._btf, data, place)

    def __contains__(self, name: object) -> bool:
        return name in variable_names(self._spec)

    def __iter__(self) -> Iterator[str]:
        return iter(variable_names(self._spec))

    def __len__(self) -> int:
        return len(variable_names(self._spec))

    @property
    def _btf(self) -> Btf:
        assert self._spec.btf is not None  # a variable was found
        return self._spec.btf


def _contents(behind: TypedMap, one: MapSpec) -> bytes:
    """What is in the map behind a section now."""
    if one.type != MapType.ARENA:
        return behind.lookup(_ONLY_KEY)
    if behind.memory is None:
        raise UsageError(
            f"arena {one.name} was made by another load, and is not mapped here",
            code="arena-not-mapped",
        )
    return bytes(behind.memory[: len(one.contents or b"")])


def _bytes_of(btf: Btf, place: Place) -> tuple[int, int]:
    """Where a place begins and ends, in bytes."""
    bits = place.bits or 8 * btf.size_of(place.type_id)
    return place.offset_bits // 8, -(-(place.offset_bits + bits) // 8)


def _read(btf: Btf, data: bytes, place: Place) -> Any:
    if not place.bits:
        return compile_reader(btf, place.type_id)(data, place.offset_bits // 8)
    first, end = _bytes_of(btf, place)
    number = int.from_bytes(data[first:end], "little") >> place.offset_bits - 8 * first
    number &= (1 << place.bits) - 1
    sign = 1 << place.bits - 1
    kind = btf.skip_modifiers(place.type_id)
    return number - 2 * sign if btf.is_signed(kind) and number & sign else number
