"""Detach links by force."""

from __future__ import annotations

import errno

from bpfctl.errors import BpfctlError, SyscallError
from bpfctl.kernel.attr_link import link_detach
from bpfctl.kernel.bpf import bpf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.kernel.fd import Fd


def detach(link: Fd) -> None:
    """Detach a link, whoever holds it; the link itself stays until its last holder goes.

    Raises: SyscallError (EOPNOTSUPP for the kinds that can only end by themselves).
    Source: BPF_LINK_DETACH, Linux 5.9; cgroup, netns, XDP, tcx, netkit and struct_ops have it.
    """
    try:
        bpf(link_detach(link))
    except SyscallError as err:
        if err.errno == errno.EOPNOTSUPP:
            err.code = "link-detach-unsupported"
            err.evidence += _kept_by(link)
            err.remedy = "a link of this kind ends when its last pin is removed and nobody holds it"
        raise


def _kept_by(link: Fd) -> list[str]:
    """Say what keeps a link alive."""
    from bpfctl.objects.holders import holders
    from bpfctl.objects.ids import ObjectKind
    from bpfctl.objects.link import link_info
    from bpfctl.objects.pin import pins

    try:
        info = link_info(link)
    except BpfctlError:
        return []
    key = (ObjectKind.LINK, info.id)
    held = holders({key})
    kind = [f"link {info.id} is of type {info.type_name}, which the kernel cannot detach by force"]
    pinned = [f"pinned at {path}" for path in pins().get(key, ())]
    return kind + pinned + [f"held by {holder}" for holder in held.by.get(key, ())]
