"""What became of an extern: one class for each outcome."""

from __future__ import annotations

from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
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
