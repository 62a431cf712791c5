"""The command line of a machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.vm import kvm
from tests.vm.tools import program

if TYPE_CHECKING:
    from pathlib import Path

MEMORY_MIB, CPUS = 2000, 2
# Emulated processors take turns in one thread. In a thread each, QEMU 7.2 does not always see what
# another one wrote: kernels die at boot of code that was patched (int3), or of CMPXCHG16B.
ACCELERATOR = {True: "kvm", False: "tcg,thread=single"}
KERNEL_WORDS = "console=ttyS0 panic=-1 quiet loglevel=3 lsm=landlock,lockdown,yama,bpf"


@dataclass(frozen=True)
class Disk:
    """A disk, its serial number by which the guest knows it, and whether changes stay."""

    serial: str
    image: Path
    keeps: bool = False


def command(kernel: Path, initramfs: Path, disks: list[Disk], console: Path) -> list[str]:
    """Return how to start a machine whose first serial line goes to a file, the second to us."""
    words = [
        *(program("setpriv"), "--pdeathsig", "KILL"),  # none outlives us, however we end
        *(program("qemu-system-x86_64"), "-machine", "q35", "-cpu", "max"),
        *("-accel", ACCELERATOR[kvm.works()]),
        *("-smp", str(CPUS), "-m", str(MEMORY_MIB)),
        *("-nodefaults", "-display", "none", "-no-reboot"),
        *("-kernel", str(kernel), "-initrd", str(initramfs), "-append", KERNEL_WORDS),
        *("-chardev", f"file,id=console,path={console}", "-serial", "chardev:console"),
        *("-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line"),
    ]
    for disk in disks:
        snapshot = "off" if disk.keeps else "on"
        drive = f"file={disk.image},id={disk.serial},format=raw,if=none,snapshot={snapshot}"
        device = f"virtio-blk-pci,drive={disk.serial},serial={disk.serial}"
        words += ["-drive", drive, "-device", device]
    return words
