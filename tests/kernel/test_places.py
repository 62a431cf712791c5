"""Network devices and mounts, in namespaces of their own."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import SyscallError
from bpfctl.kernel import mount

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.kernel.conftest import NetNs

# Prints what netlink says of a program on the interface with the number of the first argument.
XDP = """
import sys
from bpfctl.kernel.attr import link_create, prog_load
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.flags import XdpFlags
from bpfctl.kernel.info import prog_info
from bpfctl.kernel.netlink import xdp_attachments
from bpfctl.kernel.uapi import AttachType, ProgType

code = bytes.fromhex("b700000002000000" "9500000000000000")
with bpf_fd(prog_load(prog_type=ProgType.XDP, insns=code, license="GPL")) as prog:
    request = link_create(
        prog_fd=prog,
        target_ifindex=int(sys.argv[1]),
        attach_type=AttachType.XDP,
        flags=XdpFlags.SKB_MODE,
    )
    with bpf_fd(request):
        for found in xdp_attachments():
            same = found.prog_id == prog_info(prog).number("id")
            print(found.ifindex, found.name, found.mode.name, same)
    print(xdp_attachments())
"""


def test_xdp_on_an_interface(netns: NetNs) -> None:
    index = netns.run("cat", f"/sys/class/net/{netns.device}/ifindex").strip()
    printed = netns.run(sys.executable, "-c", XDP, index)
    assert printed == f"{index} {netns.device} GENERIC True\n[]\n"


def _in_child(work: Callable[[], object]) -> str:
    """Do something in a child process, and return the `repr` of its result or of its error."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        try:
            try:
                words = repr(work())
            except BaseException as err:
                words = repr(err)
            os.write(write_end, words.encode())
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        words = pipe.read()
    os.waitpid(child, 0)
    return words


def test_a_bpffs_of_our_own(tmp_path: Path) -> None:
    def work() -> tuple[list[str], str]:
        mount.private_mount_namespace(str(tmp_path))
        mount.mount_bpffs(str(tmp_path))
        with open("/proc/self/mounts") as file:  # noqa: PTH123 - as above
            inside = [line.split()[2] for line in file if line.split()[1] == str(tmp_path)]
        mode = oct(tmp_path.stat().st_mode & 0o7777)
        mount.unmount(str(tmp_path))
        return inside, mode

    assert _in_child(work) == repr((["bpf"], "0o1700"))
    with open("/proc/self/mounts") as file:  # noqa: PTH123 - as above
        assert str(tmp_path) not in file.read()


def test_mount_errors_are_worded(tmp_path: Path) -> None:
    with pytest.raises(SyscallError) as caught:
        mount.unmount(str(tmp_path))
    assert (caught.value.call, caught.value.errno) == ("umount2", errno.EINVAL)
    with pytest.raises(SyscallError) as caught:
        mount.mount_bpffs(str(tmp_path / "absent"))
    assert (caught.value.call, caught.value.errno) == ("mount", errno.ENOENT)
