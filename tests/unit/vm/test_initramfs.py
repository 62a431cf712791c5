"""What goes into the first root: the order of modules, and the archive's bytes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.vm.cpio import Entry, archive
from tests.vm.modules import module_name, order

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEP = """\
kernel/virtio.ko.xz:
kernel/virtio_ring.ko.xz: kernel/virtio.ko.xz
kernel/virtio-pci.ko.xz: kernel/virtio_ring.ko.xz kernel/virtio.ko.xz
kernel/virtio_blk.ko.xz: kernel/virtio_ring.ko.xz kernel/virtio.ko.xz
"""


def test_order() -> None:
    """modules.dep(5) lists what to load last first."""
    assert order(DEP, ("virtio_pci", "virtio_blk", "ext4")) == [
        "kernel/virtio.ko.xz",
        "kernel/virtio_ring.ko.xz",
        "kernel/virtio-pci.ko.xz",
        "kernel/virtio_blk.ko.xz",
    ]


def test_module_name() -> None:
    assert module_name("kernel/drivers/virtio-pci.ko.xz") == "virtio_pci"


def test_cpio_as_cpio_reads_it(tool: Callable[[str], str], tmp_path: Path) -> None:
    data = archive([Entry("bin"), Entry("bin/a", b"12345"), Entry("empty", b"")])
    subprocess.run([tool("cpio"), "-i", "--quiet"], input=data, cwd=tmp_path, check=True)
    found = {
        str(path.relative_to(tmp_path)): path.read_bytes() if path.is_file() else None
        for path in tmp_path.rglob("*")
    }
    assert found == {"bin": None, "bin/a": b"12345", "empty": b""}
