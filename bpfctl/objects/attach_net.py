"""Attach programs to places of the network stack."""

from __future__ import annotations

import os

from bpfctl.errors import PathError
from bpfctl.kernel.attr_link import link_create, with_neighbour
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.flags import AttachFlags
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects.attach_net_targets import FAMILIES, HOOKS
from bpfctl.objects.attach_places import find_interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_net_targets import Netfilter, Netkit, Netns, Order, Sockmap

_IP_DEFRAG: Final = 1  # BPF_F_NETFILTER_IP_DEFRAG, include/uapi/linux/bpf.h, Linux 6.6


def ordered(attr: Any, part: str, order: Order) -> Any:
    """Add a place among others to a request: `part` is "tcx", "netkit" or "cgroup"."""
    attr.set("link_create", flags=order_flags(order))
    return with_neighbour(attr, part, relative=order.neighbour_id, expected_revision=order.revision)


def order_flags(order: Order) -> AttachFlags:
    """Return the flags that say what a place among others is relative to."""
    flags = AttachFlags(0)
    if order.place:
        flags |= AttachFlags.BEFORE if order.place == "before" else AttachFlags.AFTER
    if order.neighbour_id:
        flags |= AttachFlags.ID
        flags |= AttachFlags.LINK if order.neighbour == "link" else 0
    return flags | (AttachFlags.PREORDER if order.preorder else 0)


def link_netkit(prog_fd: Fd, target: Netkit) -> Fd:
    """Attach to a netkit device (Linux 6.7). Raises: NotFoundError, SyscallError."""
    attr = link_create(
        prog_fd=prog_fd,
        target_ifindex=find_interface(target.device),
        attach_type=target.attach_type,
        doing=f"attach to {target}",
    )
    return bpf_fd(ordered(attr, "netkit", target.order))


def link_netns(prog_fd: Fd, target: Netns) -> Fd:
    """Attach to a network namespace (Linux 5.8). Raises: PathError, SyscallError."""
    try:
        number = os.open(target.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as err:
        words = (err.strerror or str(err)).lower()
        raise PathError(
            f"cannot open the network namespace: {words}", code="no-netns", subject=target.path
        ) from err
    try:
        attr = link_create(
            prog_fd=prog_fd,
            target_fd=number,
            attach_type=target.attach_type,
            doing=f"attach to {target}",
        )
        return bpf_fd(attr)
    finally:
        os.close(number)


def link_netfilter(prog_fd: Fd, target: Netfilter) -> Fd:
    """Attach to a netfilter hook (Linux 6.4, defragmentation 6.6). Raises: SyscallError."""
    attr = link_create(
        prog_fd=prog_fd, attach_type=AttachType.NETFILTER, doing=f"attach to {target}"
    )
    attr.set(
        "link_create.netfilter",
        pf=FAMILIES[target.family],
        hooknum=HOOKS[target.hook],
        priority=target.priority,
        flags=_IP_DEFRAG if target.defrag else 0,
    )
    return bpf_fd(attr)


def link_sockmap(prog_fd: Fd, target: Sockmap) -> Fd:
    """Attach to a map of sockets (Linux 6.10). Raises: SyscallError."""
    attr = link_create(
        prog_fd=prog_fd,
        target_fd=target.map_fd,
        attach_type=target.attach_type,
        doing=f"attach to {target}",
    )
    return bpf_fd(attr)
