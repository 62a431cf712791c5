"""bpfctl as a library, in a few lines: open an object, set globals, load, attach, read, close.

    import bpfctl

    with bpfctl.open_object("count.bpf.o") as obj:
        obj.globals["limit"] = 10
        obj.load(max_entries={"counts": 1024})
        obj.programs["on_exec"].attach()
        print(dict(obj.maps["counts"].entries()))

Leaving the `with` statement detaches and unloads what is not pinned. Errors are those of
`bpfctl.errors`, explained as on the command line. More is in the modules below: `bpfctl.loader`,
`bpfctl.objects`, `bpfctl.features`.
"""

from __future__ import annotations

from contextlib import contextmanager

from bpfctl.errors import SyscallError, UsageError
from bpfctl.loader.global_values import Globals
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.typed_map import TypedMap
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.loaded import LoadedObject, LoadedProgram
    from bpfctl.objects.attach_targets import Target
    from bpfctl.objects.prog import ProgInfo

__all__ = ["Globals", "Link", "LoadOptions", "Object", "Program", "TypedMap", "open_object"]


def open_object(path: str, *, prog_type: str | None = None) -> Object:
    """Read an object file; nothing is loaded yet.

    `prog_type` is a section name ("xdp") that says what all its programs are, whatever their
    sections say. Raises: PathError, ObjectFileError, UsageError for no such section.
    """
    from bpfctl.elf.reader import read_object
    from bpfctl.elf.section_table import BY_NAME

    definition = BY_NAME.get(prog_type) if prog_type else None
    if prog_type and definition is None:
        raise UsageError(f'"{prog_type}" is no program type')
    return Object(read_object(path, definition))


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
        """The loaded maps by name; ".rodata" and its like too. Raises: UsageError before `load`."""
        self._need_load()
        return self._maps

    @property
    def warnings(self) -> list[str]:
        """What the author should know, and what this kernel could not take."""
        return [*self.spec.warnings, *(self._loaded.warnings if self._loaded else ())]

    def load(
        self,
        *,
        only: Collection[str] = (),
        skip: Collection[str] = (),
        max_entries: Mapping[str, int] | None = None,
        options: LoadOptions | None = None,
    ) -> Self:
        """Create the maps and load the programs: all, or `only` some, or all without `skip`.

        `max_entries` sets sizes of maps; `options` has all else a load can be told.
        Raises: VerifierError with the log, NotFoundError, NotSupportedError, RelocationError,
        SyscallError; nothing stays then.
        """
        if self._loaded:
            raise UsageError("the object is loaded already", subject=self.spec.path)
        options = options or LoadOptions()
        options = replace(
            options,
            programs=frozenset(only) or options.programs,
            skip=frozenset(skip) | options.skip,
            max_entries={**options.max_entries, **(max_entries or {})},
            globals=(*options.globals, *self.globals.assignments),
        )
        loaded = self._loaded = _load(self.spec, options)
        self._programs = {name: Program(loaded, one) for name, one in loaded.programs.items()}
        types = {one.name: one for one in self.spec.maps}
        self._maps = {
            name: TypedMap(one.fd, types.get(name, one.spec), self.spec.btf)
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

        with _explaining(self.spec):
            found = attach_all(self._need_load())
        return [Link(*one.links) for one in found if one.links]

    def _need_load(self) -> LoadedObject:
        if self._loaded is None:
            raise UsageError("the object is not loaded yet", subject=self.spec.path)
        return self._loaded

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


@contextmanager
def _explaining(*facts: object) -> Iterator[None]:
    """Have what goes wrong in the `with` block explained as on the command line."""
    try:
        yield
    except SyscallError as err:
        from bpfctl.explain.engine import explain

        found = explain(err, *facts)
        if found is err:
            raise
        raise found from None


class Program:
    """A loaded program. It lives as long as its object, and as what pins or attaches it."""

    def __init__(self, loaded: LoadedObject, program: LoadedProgram) -> None:
        self.name = program.name
        self.section = program.spec.section
        self.fd = program.fd
        self.log = program.log.text
        self._object = loaded

    @property
    def info(self) -> ProgInfo:
        """What the kernel tells of it: id, tag, size, run time. Raises: SyscallError."""
        from bpfctl.objects.prog import prog_info

        return prog_info(self.fd)

    def attach(self, target: Target | None = None) -> Link:
        """Attach it where its section says, or to `target` (`bpfctl.objects.attach_targets`).

        The object's end is the link's, unless it is pinned. Raises: UsageError for a program that
        cannot go there or whose section names no target, NotFoundError, NotSupportedError,
        SyscallError.
        """
        from bpfctl.loader.attach import attach_program

        with _explaining(self._object.spec):
            links = attach_program(self._object, self.name, target).links
        if not links:
            raise UsageError(
                f'SEC "{self.section.text}" does not say what to attach to',
                code="attach-target-not-named",
                program=self.name,
                remedy="say it: attach(Xdp(...)), see bpfctl.objects.attach_targets",
            )
        return Link(*links)

    def pin(self, path: str) -> None:
        """Keep it under a path of a bpffs. Raises: PathError, SyscallError."""
        from bpfctl.objects.pin import pin

        with _explaining():
            pin(self.fd, path)

    def run(self, data: bytes = b"", *, context: bytes = b"") -> int:
        """Run it once on a packet or a context, and give what it returned.

        Raises: SyscallError where programs of its type cannot be run so.
        """
        from bpfctl.kernel.attr import prog_test_run
        from bpfctl.kernel.bpf import bpf

        request = prog_test_run(self.fd, data_in=data, ctx_in=context)
        with _explaining():
            bpf(request)
        return request.retval


class Link:
    """A program at its target; closing it detaches, unless it is pinned.

    There are several `fds` where one link of the kernel does not reach all of the target: a perf
    event on every CPU, and a static probe in several places before Linux 6.6.
    """

    def __init__(self, *fds: Fd) -> None:
        """Take ownership of the descriptors of links, at least one."""
        self.fds = fds

    @property
    def fd(self) -> Fd:
        """The link, or the first of several."""
        return self.fds[0]

    def pin(self, path: str) -> None:
        """Keep it under a path of a bpffs; several in a directory there.

        Raises: PathError, SyscallError; nothing is pinned then.
        """
        from bpfctl.loader.pins import PinSet

        pins = PinSet()
        with _explaining():
            try:
                pins.pin_each(self.fds, path)
            except BaseException:
                pins.undo()
                raise

    def close(self) -> None:
        """Let go of it. May be called twice."""
        for fd in self.fds:
            fd.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
