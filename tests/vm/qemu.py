"""The command line of a machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.vm import kvm
from tests.vm.tools import program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.vm.kernels import Kernel

MEMORY_MIB, CPUS = 2000, 2
# What QEMU 7.2 does wrongly when it emulates: with a thread for each processor, one may run code as
# it was before another one patched it, and kernels die of a stray int3; and CMPXCHG16B leaves
# rubbish in the flags now and then, of which kernels from 6.5 on die within their allocator.
ACCELERATOR = {True: ("kvm", "max"), False: ("tcg,thread=single", "max,cx16=off")}
KERNEL_WORDS = "console=ttyS0 panic=-1 quiet loglevel=3 lsm=landlock,lockdown,yama,bpf"


@dataclass(frozen=True)
class Disk:
    """A disk, its serial number by which the guest knows it, and whether changes stay."""

    serial: str
    image: Path
    keeps: bool = False


def command(kernel: Kernel, initramfs: Path, disks: list[Disk], console: Path) -> list[str]:
    """Return how to start a machine whose first serial line goes to a file, the second to us."""
    accelerator, processor = ACCELERATOR[kvm.works()]
    words = [
        *(program("setpriv"), "--pdeathsig", "KILL"),  # none outlives us, however we end
        *(program("qemu-system-x86_64"), "-machine", "q35"),
        *("-accel", accelerator, "-cpu", processor),
        *("-smp", str(CPUS), "-m", str(MEMORY_MIB)),
        *("-nodefaults", "-display", "none", "-no-reboot"),
        *("-kernel", str(kernel.image), "-initrd", str(initramfs)),
        *("-append", f"{KERNEL_WORDS} {kernel.words}".rstrip()),
        *("-chardev", f"file,id=console,path={console}", "-serial", "chardev:console"),
        *("-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line"),
    ]
    for disk in disks:
        snapshot = "off" if disk.keeps else "on"
        drive = f"file={disk.image},id={disk.serial},format=raw,if=none,snapshot={snapshot}"
        device = f"virtio-blk-pci,drive={disk.serial},serial={disk.serial}"
        words += ["-drive", drive, "-device", device]
    return words
