"""The kernels to check for: the running one, or any others, given by files of their types."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from bpfctl.btf.types import Kind
from bpfctl.errors import PathError
from bpfctl.features.age import Age, age_of, listed, marked_kfuncs
from bpfctl.linux.kconfig import kernel_config
from bpfctl.linux.version import kernel_version
from bpfctl.loader.kernel_btf import KernelBtf, ModuleBtf
from bpfctl.objects.btf import KERNEL_FILE, KERNEL_FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from bpfctl.features.age import Listed
    from bpfctl.linux.kconfig import KernelConfig

VMLINUX: Final = "vmlinux"
CONFIG: Final = "config"


class FolderBtf(KernelBtf):
    """A kernel's types and those of its modules as /sys/kernel/btf has them: a file for each.

    Reading that folder takes no privileges. Their ids are 0: nothing is opened by them.
    """

    def __init__(self, folder: str) -> None:
        super().__init__(f"{folder}/{VMLINUX}")
        self._folder = folder

    @cached_property
    def modules(self) -> tuple[ModuleBtf, ...]:
        """The types of the modules. Raises: what `btf` raises; BtfError, PathError."""
        from bpfctl.objects.btf_source import btf_of_file

        names = sorted(one.name for one in _entries(self._folder) if one.is_file())
        return tuple(
            ModuleBtf(name, 0, btf_of_file(f"{self._folder}/{name}", self.btf))
            for name in names
            if name not in (VMLINUX, CONFIG)
        )


class Target:
    """One kernel to check for; `is_running` is said of the one we run on.

    `config_path` is the file with its configuration, None: none is known (but the running one's).
    `place` is where its types are, "" where nobody said.
    """

    def __init__(
        self,
        name: str,
        types: KernelBtf,
        *,
        config_path: str | None = None,
        is_running: bool = False,
        has_modules: bool = False,
        place: str = "",
    ) -> None:
        self.name = name
        self.place = place
        self.types = types
        self.config_path = config_path
        self.is_running = is_running
        self.has_modules = has_modules

    @cached_property
    def listed(self) -> Listed:
        """The numbers that its enumerations have."""
        return listed(self.types.btf)

    @cached_property
    def age(self) -> Age:
        """Which versions it can be, by what its types have; of the running one, by its version."""
        found = age_of(self.listed, marked_kfuncs(self.types.btf))
        return found.of_version(kernel_version()) if self.is_running else found

    @cached_property
    def config(self) -> KernelConfig | None:
        """Its configuration, None where nothing tells. Raises: PathError."""
        if self.config_path is None:
            return kernel_config() if self.is_running else None
        return read_config(self.config_path)

    def has_function(self, name: str) -> bool:
        """Whether its types show a function of that name, those of modules left out."""
        return self.types.btf.find(name, Kind.FUNC) is not None

    def has_typedef(self, name: str) -> bool:
        """Whether its types show a typedef of that name."""
        return self.types.btf.find(name, Kind.TYPEDEF) is not None

    def has_struct(self, name: str) -> bool:
        """Whether its types show a struct of that name."""
        return self.types.btf.find(name, Kind.STRUCT) is not None

    def has_member(self, struct: str, member: str) -> bool:
        """Whether its types show a member of a struct."""
        btf = self.types.btf
        found = btf.find(struct, Kind.STRUCT)
        return found is not None and btf.member(found, member) is not None


def running(config_path: str | None = None) -> Target:
    """The kernel we run on, read without privileges."""
    from bpfctl.linux.version import kernel_release

    types = FolderBtf(KERNEL_FOLDER)
    return Target(
        kernel_release(), types, config_path=config_path, is_running=True, has_modules=True
    )


def kernels(paths: Sequence[str], config_path: str | None = None) -> list[Target]:
    """The kernels of several files and directories, the running one for none.

    Two of one name are called by their paths. Raises: PathError, for what is no configuration too.
    """
    found = [one for path in paths for one in kernels_at(path, config_path)]
    found = found or [running(config_path)]
    names = [one.name for one in found]
    for one in found:
        if names.count(one.name) > 1:
            one.name = one.place or one.name
    if config_path is not None:
        read_config(config_path)
    return found


def read_config(path: str) -> KernelConfig:
    """A kernel's configuration from a file. Raises: PathError."""
    found = kernel_config([path])
    if found is None or not found.options:
        raise PathError("is no kernel configuration", subject=path)
    return found


def kernels_at(path: str, config_path: str | None = None) -> Iterator[Target]:
    """The kernels of a file of types, or of a directory.

    In a directory each file is a kernel, named as the file, and so is each directory with a file
    "vmlinux": the other files in it are its modules' types, and "config" is its configuration. A
    directory with a "vmlinux" of its own is one kernel. A file "vmlinux" has the name of what it is
    in. Raises: PathError.
    """
    place = Path(path)
    if not place.is_dir():
        yield _of_file(place, config_path)
        return
    if (place / VMLINUX).exists():
        yield _of_folder(place, config_path)
        return
    found = False
    for one in _entries(path):
        if one.is_file() and one.stat().st_size:
            found = True
            yield _of_file(one, config_path)
        elif (one / VMLINUX).exists():
            found = True
            yield _of_folder(one, config_path)
    if not found:
        raise PathError("has neither files of types nor directories with a vmlinux", subject=path)


def _of_file(path: Path, config_path: str | None) -> Target:
    if str(path) == KERNEL_FILE:
        return running(config_path)
    name = path.parent.name if path.name == VMLINUX else ""
    types = KernelBtf(str(path))
    return Target(name or path.name, types, config_path=config_path, place=str(path))


def _of_folder(path: Path, config_path: str | None) -> Target:
    if str(path) == KERNEL_FOLDER:
        return running(config_path)
    own = path / CONFIG
    config = str(own) if own.exists() and config_path is None else config_path
    types, place = FolderBtf(str(path)), str(path)
    return Target(path.name, types, config_path=config, has_modules=True, place=place)


def _entries(folder: str) -> list[Path]:
    try:
        return sorted(Path(folder).iterdir(), key=lambda one: _natural(one.name))
    except OSError as err:
        words = (err.strerror or str(err)).lower()
        raise PathError(f"cannot list it: {words}", subject=folder) from err


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key that puts 5.4 before 5.15."""
    import re

    parts = re.findall(r"\d+|\D+", name)
    return [(int(one), "") if one.isdigit() else (-1, one) for one in parts]
