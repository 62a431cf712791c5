"""An object in the kernel: its programs and maps as long as somebody holds them."""

from __future__ import annotations

from bpfctl.errors import NotFoundError
from bpfctl.loader.pins import PinSet, pin_path
from bpfctl.plain import field, plain
from bpfctl.plain_tools import ExitStack
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from bpfctl.elf.spec import MapSpec, ObjectSpec, ProgramSpec
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.struct_ops import KernelOps
    from bpfctl.loader.verifier import Log


class LoadedProgram(NamedTuple):
    """A program in the kernel. `log` is the verifier's, empty unless the load asked for one."""

    spec: ProgramSpec
    fd: Fd
    log: Log

    @property
    def name(self) -> str:
        """The function's name."""
        return self.spec.name


class LoadedMap(NamedTuple):
    """A map in the kernel, made after the effective blueprint `spec`.

    `pinned` is its path when it is pinned by name; `reused`: it was pinned already, and is shared
    with whoever made it.
    """

    spec: MapSpec
    fd: Fd
    pinned: str | None = None
    reused: bool = False

    @property
    def name(self) -> str:
        """The map's name in the object."""
        return self.spec.name


@plain
class LoadedObject:
    """The programs and maps of one object, in its order. Use it in a `with` statement.

    `struct_ops` says of maps of that type what this kernel wants in them. `memory` is that of
    arenas, by name.

    Leaving closes all descriptors, so that what is not pinned or attached vanishes. Leaving with
    an exception also removes the pins made through it, and what `undo` takes back.
    """

    spec: ObjectSpec
    programs: dict[str, LoadedProgram] = field(default_factory=dict)
    maps: dict[str, LoadedMap] = field(default_factory=dict)
    struct_ops: dict[str, KernelOps] = field(default_factory=dict)
    memory: dict[str, memoryview] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    pins: PinSet = field(default_factory=PinSet)
    resources: ExitStack = field(default_factory=ExitStack)
    undo: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.undo.close()
            self.pins.undo()
        self.close()

    def close(self) -> None:
        """Close all descriptors; pins stay. A second call does nothing."""
        self.resources.close()

    def pin_program(self, name: str, path: str) -> None:
        """Pin one program at `path`. Raises: NotFoundError, PathError, SyscallError."""
        if name not in self.programs:
            raise NotFoundError(f"no program {name} was loaded", subject=self.spec.path)
        self.pins.pin(self.programs[name].fd, path)

    def pin_programs(self, directory: str) -> dict[str, str]:
        """Pin each program at `directory`/name; give the paths by name.

        The directory is made when its parent is there. Raises: PathError, SyscallError.
        """
        self.pins.make_directory(directory)
        paths = {name: pin_path(directory, name) for name in self.programs}
        for name, path in paths.items():
            self.pins.pin(self.programs[name].fd, path)
        return paths

    def pin_maps(self, directory: str) -> dict[str, str]:
        """Pin each map at `directory`/name, like `pin_programs`."""
        self.pins.make_directory(directory)
        paths = {name: pin_path(directory, name) for name in self.maps}
        for name, path in paths.items():
            self.pins.pin(self.maps[name].fd, path)
        return paths
