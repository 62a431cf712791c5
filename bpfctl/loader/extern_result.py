"""What became of the externs of an object: one class for each outcome, and for all together."""

from __future__ import annotations

from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfctl.elf.spec import ExternSpec
    from bpfctl.loader.kernel_btf import ModuleBtf


class Value(NamedTuple):
    """A value of the configuration: the bytes to store in the map of .kconfig.

    `cut_bytes` is the length of a text for which there is not that much room, else 0.
    """

    data: bytes
    cut_bytes: int = 0


class Address(NamedTuple):
    """A symbol of the kernel whose type nobody knows."""

    address: int


class KernelType(NamedTuple):
    """A variable or function of the kernel, by its BTF id; `module` is None in vmlinux."""

    type_id: int
    module: ModuleBtf | None = None


class Missing(NamedTuple):
    """There is no such thing here.

    `reason` goes on after the extern's name. `option` is the kernel option it comes with and
    `nearest` are similar names that do exist. What is `fatal` is so for weak externs too: the
    object contradicts the kernel, it does not merely ask for something absent.
    """

    reason: str
    option: str | None = None
    nearest: tuple[str, ...] = ()
    remedy: str | None = None
    fatal: bool = False


Outcome = Value | Address | KernelType | Missing


class Externs(NamedTuple):
    """The externs of one object, and what each is on this kernel.

    `modules` are those with functions the object calls, in the order of their places in the
    `fd_array` of a load: index 0 there stands for vmlinux, the first of them has index 1.
    """

    specs: tuple[ExternSpec, ...] = ()
    outcomes: Mapping[str, Outcome] = {}
    modules: tuple[ModuleBtf, ...] = ()

    def kconfig_data(self, size_bytes: int) -> bytes:
        """The contents of the map of .kconfig; what is not set is 0."""
        data = bytearray(size_bytes)
        for one in self.specs:
            outcome = self.outcomes.get(one.name)
            if isinstance(outcome, Value):
                data[one.offset : one.offset + len(outcome.data)] = outcome.data
        return bytes(data)

    @property
    def warnings(self) -> list[str]:
        """What the author should know of what is used."""
        found = [(one.name, self.outcomes.get(one.name)) for one in self.specs]
        return [
            f"{name} has {value.cut_bytes} bytes, and only {len(value.data) - 1} are kept"
            for name, value in found
            if isinstance(value, Value) and value.cut_bytes
        ]


class Bound(NamedTuple):
    """The descriptors that code needs: of maps by name, and of modules' types by BTF id."""

    map_fds: Mapping[str, int]
    externs: Externs = Externs()
    kconfig_map: str = ""
    module_fds: Mapping[int, int] = {}

    @property
    def fd_array(self) -> tuple[int, ...]:
        """The descriptors that calls refer to by their index, vmlinux's place first."""
        fds = tuple(self.module_fds[one.id] for one in self.externs.modules)
        return (0, *fds) if fds else ()
