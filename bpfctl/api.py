"""bpfctl as a library, in a few lines: open an object, set globals, load, attach, read, close.

    import bpfctl

    with bpfctl.open_object("count.bpf.o") as obj:
        obj.globals["limit"] = 10
        obj.load(max_entries={"counts": 1024})
        obj.programs["on_exec"].attach()
        print(dict(obj.maps["counts"].entries()))

Leaving the `with` statement detaches and unloads what is not pinned. Errors are those of
`bpfctl.errors`, explained as on the command line. What programs can be attached to is in
`bpfctl.targets`; more is in the modules below: `bpfctl.loader`, `bpfctl.objects`,
`bpfctl.features`.
"""

from __future__ import annotations

import os

from bpfctl.errors import NotFoundError, SyscallError, UsageError
from bpfctl.handles import Link, Program, TestRun, explaining
from bpfctl.loader.global_values import Globals
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.typed_map import TypedMap
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import TracebackType
    from typing import Any, Self

    from bpfctl.elf.section_def import SectionDef
    from bpfctl.elf.spec import MapSpec, ObjectSpec
    from bpfctl.loader.loaded import LoadedObject
    from bpfctl.objects.map_info import MapInfo

__all__ = [
    "Globals", "Link", "LoadOptions", "Object", "Program", "TestRun", "TypedMap", "open_bytes",
    "open_map", "open_object",
]  # fmt: skip


def open_object(path: str | os.PathLike[str], *, prog_type: str | None = None) -> Object:
    """Read an object file; nothing is loaded yet.

    `prog_type` is a section name ("xdp") that says what all its programs are, whatever their
    sections say. Raises: PathError, ObjectFileError, UsageError for no such section.
    """
    from bpfctl.elf.reader import read_object

    return Object(read_object(os.fspath(path), _definition(prog_type)))


def open_bytes(data: bytes, name: str, *, prog_type: str | None = None) -> Object:
    """Read an object that is in memory, such as a resource of a package.

    `name` stands for its path: in errors, and in the names of its maps of variables
    ("count.bpf.o": count.bss). Raises: as `open_object`.
    """
    from bpfctl.elf.reader import parse_object

    return Object(parse_object(data, name, _definition(prog_type)))


def _definition(prog_type: str | None) -> SectionDef | None:
    from bpfctl.elf.section_table import BY_NAME

    definition = BY_NAME.get(prog_type) if prog_type else None
    if prog_type and definition is None:
        raise UsageError(f'"{prog_type}" is no program type')
    return definition


def open_map(which: str | os.PathLike[str] | int) -> TypedMap:
    """Open a map that is in the kernel, by the path of its pin or by its id; the caller closes it.

    Its keys and values are read by the types that it was made with; without any they are bytes.
    Raises: NotFoundError, PathError for a pin that is no map, SyscallError.
    """
    from bpfctl.objects.ids import ObjectKind, open_id
    from bpfctl.objects.map import Map
    from bpfctl.objects.pin import open_pin

    with explaining():
        if isinstance(which, int):
            fd = open_id(ObjectKind.MAP, which)
        else:
            fd = open_pin(os.fspath(which), ObjectKind.MAP)[1]
        found = Map(fd)
        try:
            btf = found.btf()
        except BaseException:
            found.close()
            raise
    return TypedMap(fd, _spec_of(found.info), btf)


def _spec_of(info: MapInfo) -> MapSpec:
    """The blueprint of a map that is there, as far as its entries go."""
    from bpfctl.elf.spec import MapSpec

    return MapSpec(
        info.name,
        info.type,
        info.bytes_key,
        info.bytes_value,
        info.max_entries,
        key_type_id=info.btf_key_type_id,
        value_type_id=info.btf_value_type_id or info.btf_vmlinux_value_type_id,
    )


class Object:
    """An object file, and after `load` its programs and maps in the kernel.

    `spec` is its blueprint, `globals` its global variables by name. Use it in a `with` statement,
    or close it.
    """

    def __init__(self, spec: ObjectSpec) -> None:
        self.spec = spec
        self.globals = Globals(spec)
        self._loaded: LoadedObject | None = None
        self._programs: dict[str, Program] = {}
        self._maps: dict[str, TypedMap] = {}

    @property
    def programs(self) -> Mapping[str, Program]:
        """The loaded programs by the names of their functions. Raises: UsageError before `load`."""
        self._need_load()
        return self._programs

    @property
    def maps(self) -> Mapping[str, TypedMap]:
        """The loaded maps by name, also those of variables. Raises: UsageError before `load`."""
        self._need_load()
        return self._maps

    @property
    def warnings(self) -> list[str]:
        """What the author should know, and what this kernel could not take."""
        return [*self.spec.warnings, *(self._loaded.warnings if self._loaded else ())]

    def load(
        self,
        *,
        only: str | Collection[str] = (),
        skip: str | Collection[str] = (),
        max_entries: Mapping[str, int] | None = None,
        reuse: Mapping[str, TypedMap] | None = None,
        options: LoadOptions | None = None,
    ) -> Self:
        """Create the maps and load the programs: all, or `only` some or one, or all without `skip`.

        `max_entries` sets sizes of maps, `reuse` gives open maps to use in their place (of another
        object, or of `open_map`); `options` has all else a load can be told.
        Raises: VerifierError with the log, NotFoundError, NotSupportedError, RelocationError,
        SyscallError; nothing stays then.
        """
        if self._loaded:
            raise UsageError("the object is loaded already", subject=self.spec.path)
        options = options or LoadOptions()
        options = replace(
            options,
            programs=_names(only) or options.programs,
            skip=_names(skip) | options.skip,
            max_entries={**options.max_entries, **(max_entries or {})},
            reuse={**options.reuse, **{name: one.fd for name, one in (reuse or {}).items()}},
            globals=(*options.globals, *self.globals.assignments),
        )
        loaded = self._loaded = _load(self.spec, options)
        self._programs = {name: Program(loaded, one) for name, one in loaded.programs.items()}
        types = {one.name: one for one in self.spec.maps}
        self._maps = {
            name: TypedMap(
                one.fd, types.get(name, one.spec), self.spec.btf, loaded.memory.get(name)
            )
            for name, one in loaded.maps.items()
        }
        self.globals.loaded = self._maps
        return self

    def attach(self) -> list[Link]:
        """Attach every loaded program whose section says to what, and give the links.

        Those of struct_ops maps in ".struct_ops.link" are among them; programs for a device, a
        cgroup or a socket are left alone. Raises: what `Program.attach` raises; what was attached
        until then goes with the object.
        """
        from bpfctl.loader.attach import attach_all

        with explaining(self.spec):
            found = attach_all(self._need_load(), hold=True)
        return [Link(*one.links, held=one.held) for one in found if one.links or one.held]

    def decode(self, type_name: str, data: bytes) -> Any:
        """Read bytes as a type of the object, such as a record of a ring buffer as its struct.

        Raises: NotFoundError for no such type, UsageError for bytes that are too few.
        """
        from bpfctl.btf.types import Kind
        from bpfctl.btf.values import compile_reader

        btf, name = self.spec.btf, type_name.removeprefix("struct ")
        kinds = (Kind.STRUCT, Kind.UNION, Kind.TYPEDEF, Kind.ENUM, Kind.ENUM64, Kind.INT)
        found = btf.find_all(name, kinds) if btf is not None else ()
        if btf is None or not found:
            raise NotFoundError(
                f"the object has no type called {name}",
                code="no-such-type",
                subject=self.spec.path,
                remedy=f"have the compiler keep it: struct {name} *unused __attribute__((unused));",
            )
        size = btf.size_of(found[0])
        if len(data) < size:
            raise UsageError(f"{type_name} has {size} bytes, and these are {len(data)}")
        return compile_reader(btf, found[0])(data, 0)

    def _need_load(self) -> LoadedObject:
        if self._loaded is None:
            raise UsageError("the object is not loaded yet", subject=self.spec.path)
        return self._loaded

    def __repr__(self) -> str:
        state = "loaded" if self._loaded else "not loaded"
        return f"<object {self.spec.path} of {len(self.spec.programs)} programs, {state}>"

    def close(self) -> None:
        """Detach, and let go of programs and maps; what is pinned stays. May be called twice."""
        if self._loaded:
            self._loaded.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _names(given: str | Collection[str]) -> frozenset[str]:
    return frozenset({given} if isinstance(given, str) else given)


def _load(spec: ObjectSpec, options: LoadOptions) -> LoadedObject:
    """Load, and have a refusal explained as on the command line."""
    from bpfctl.explain.load_failure import explain_load
    from bpfctl.loader.kernel_btf import KernelBtf
    from bpfctl.loader.pipeline import load
    from bpfctl.objects.btf import KERNEL_FILE

    kernel = KernelBtf(KERNEL_FILE, options.kernel_btf)
    try:
        return load(spec, options, kernel)
    except SyscallError as err:
        raise explain_load(err, spec, kernel, options) from None
