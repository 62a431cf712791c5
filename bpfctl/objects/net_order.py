"""Programs at tcx and netkit without a link: they stay until they are taken away (Linux 6.6).

Source: tcx_prog_attach() and tcx_prog_detach(), kernel/bpf/tcx.c; drivers/net/netkit.c.
"""

from __future__ import annotations

from array import array

from bpfctl.errors import UsageError
from bpfctl.kernel.attr_link import prog_attach, prog_detach, prog_query
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.flags import AttachFlags
from bpfctl.objects.attach_net import order_flags
from bpfctl.objects.attach_places import find_interface
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_net_targets import Netkit
    from bpfctl.objects.attach_targets import Tcx

_ROOM: Final = 64  # programs of one side: BPF_MPROG_MAX, include/linux/bpf_mprog.h, Linux 6.6
_U32: Final = 4


@plain
class Entry:
    """A program of one side, in the order they run; `link_id` is 0 without a link."""

    prog_id: int
    link_id: int = 0


def attach_ordered(
    prog_fd: Fd, target: Tcx | Netkit, *, overwrite: bool = False, instead: Fd | None = None
) -> None:
    """Attach a program; the target says where among those that are there.

    With `overwrite` it takes the place of the only one there, with `instead` that of a certain one.
    Raises: NotFoundError, UsageError (several to overwrite), NotSupportedError, SyscallError.
    """
    index = find_interface(target.device)
    if overwrite and instead is None:
        found = entries(index, target.attach_type)
        if len(found) > 1:
            raise _which(target, found)
        if found:
            with open_id(ObjectKind.PROG, found[0].prog_id) as there:
                attach_ordered(prog_fd, target, instead=there)
            return
    request = prog_attach(
        attach_type=target.attach_type,
        target_ifindex=index,
        prog_fd=prog_fd,
        attach_flags=AttachFlags.REPLACE if instead else order_flags(target.order),
        replace_fd=instead or 0,
        relative_id=target.order.neighbour_id,
        expected_revision=target.order.revision,
        doing=f"attach to {target}",
    )
    bpf(request)


def detach_ordered(target: Tcx | Netkit, prog_fd: Fd | None = None) -> None:
    """Detach a program, or the last one. Raises: NotFoundError (the interface), SyscallError."""
    request = prog_detach(
        attach_type=target.attach_type,
        target_ifindex=find_interface(target.device),
        prog_fd=prog_fd or 0,
        doing=f"detach from {target}",
    )
    bpf(request)


def entries(ifindex: int, attach_type: int) -> list[Entry]:
    """Return the programs of one side of an interface.

    Raises: SyscallError (EINVAL before Linux 6.6, and for a netkit side of another device).
    """
    prog_ids, link_ids = bytearray(_ROOM * _U32), bytearray(_ROOM * _U32)
    query = prog_query(
        attach_type=attach_type,
        target_ifindex=ifindex,
        prog_ids=prog_ids,
        link_ids=link_ids,
        doing="list the programs of an interface",
    )
    bpf(query)
    pairs = zip(array("I", bytes(prog_ids)), array("I", bytes(link_ids)), strict=True)
    return [Entry(*pair) for pair in list(pairs)[: query.count]]


def _which(target: Tcx | Netkit, found: list[Entry]) -> UsageError:
    return UsageError(
        f"{target} runs {len(found)} programs: say which is to be replaced",
        code="net-which",
        evidence=[f"program {one.prog_id}" for one in found],
        remedy=f"replace id {found[0].prog_id}",
    )
