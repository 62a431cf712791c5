"""Whether QEMU can use this machine's KVM: some hosts offer the device, and QEMU dies of it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import cache

from tests.vm.tools import program

# mov al, 0x31; out 0xf4, al; hlt: a boot sector that makes QEMU's isa-debug-exit end with 2n+1.
CODE = bytes.fromhex("b031e6f4f4")
BOOT_DISK = (CODE.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0")
ENDED_ITSELF = 0x31 * 2 + 1
PATIENCE_S = 20


@cache
def works() -> bool:
    """Say whether a boot sector runs to its end under KVM, on the processor that we ask for."""
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and boots("kvm")


def boots(accelerator: str) -> bool:
    """Say whether QEMU runs a boot sector with this accelerator."""
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(BOOT_DISK)
        disk.flush()
        try:
            done = subprocess.run(
                [
                    *[program("qemu-system-x86_64"), "-machine", f"q35,accel={accelerator}"],
                    *["-cpu", "max", "-m", "64", "-display", "none", "-nodefaults", "-no-reboot"],
                    *["-device", "isa-debug-exit,iobase=0xf4,iosize=1"],
                    *["-drive", f"file={disk.name},format=raw,if=ide,snapshot=on"],
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == ENDED_ITSELF
