"""Programs of the machine that the harness runs, and the packages that have them."""

from __future__ import annotations

import shutil
import subprocess

from tests.vm.errors import LastingError, VmError

PACKAGE_OF = {
    "apt-get": "apt",
    "chroot": "coreutils",
    "debootstrap": "debootstrap",
    "depmod": "kmod",
    "dpkg": "dpkg",
    "dpkg-deb": "dpkg",
    "git": "git",
    "gpgv": "gpgv",
    "mke2fs": "e2fsprogs",
    "qemu-system-x86_64": "qemu-system-x86",
    "setpriv": "util-linux",
}
# An ordinary user's PATH lacks the system's directories, and some of these programs need no root.
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


def program(name: str) -> str:
    """Return a program's path. Raises: LastingError naming the package to install."""
    path = shutil.which(name) or shutil.which(name, path=SYSTEM_PATH)
    if path is None:
        package = PACKAGE_OF.get(name, name)
        raise LastingError(f"{name} is not installed: apt-get install {package}")
    return path


def run(name: str, *words: str, data: bytes | None = None) -> bytes:
    """Run a program and return what it printed. Raises: VmError with its complaint."""
    done = subprocess.run([program(name), *words], input=data, capture_output=True, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or "it said nothing"
        raise VmError(f"{name} failed with status {done.returncode}: {said[-2000:]}")
    return done.stdout
