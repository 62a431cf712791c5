"""XDP programs that an interface refuses: it runs one already, its driver, its MTU."""

from __future__ import annotations

import errno

from bpfctl.errors import BpfctlError
from bpfctl.explain.explanation import Explanation
from bpfctl.kernel.netlink import XdpMode, interfaces
from bpfctl.kernel.netlink_xdp import XdpFeatures, xdp_features
from bpfctl.kernel.uapi import LinkType
from bpfctl.objects import attach_targets as targets
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.objects.link import links
from bpfctl.objects.net_xdp import WORDS
from bpfctl.objects.prog import ProgInfo, prog_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.explain.failure import Failure
    from bpfctl.kernel.netlink import Interface, XdpAttachment
    from bpfctl.objects.link import LinkInfo

# What a page leaves to a packet in veth_xdp_set(), drivers/net/veth.c: roughly, as the rest
# depends on the kernel's configuration.
_PAGE_LEAVES: Final = 3500


def refused(failure: Failure) -> Explanation | None:
    """Say what keeps an XDP program from an interface."""
    target = failure.fact(targets.Xdp)
    if target is None:
        return None
    device = next((one for one in interfaces() if one.name == target.device), None)
    if device is None:
        return None
    if failure.errno in (errno.EBUSY, errno.EEXIST) and device.xdp:
        return _taken(failure, device)
    if failure.errno == errno.EOPNOTSUPP:
        return _driver(failure, device, target)
    if failure.errno == errno.ERANGE and device.kind == "veth":
        return _mtu(device)
    if failure.errno == errno.EINVAL:
        _candidates(failure, device, target)
    return None


# --- another program is there ---------------------------------------------------------------------


def _taken(failure: Failure, device: Interface) -> Explanation:
    """Name the program that is there, and what holds it there."""
    mode = _mode(device.xdp)
    evidence = [line for one in device.xdp for line in _holder(device, one)]
    off = _off(device, device.xdp[0])
    if failure.call == "netlink" and " link detach " in off:
        words = f"a link holds the XDP program of {device.name}"
        return Explanation("net-held-by-link", words, tuple(evidence), off)
    if failure.errno == errno.EEXIST and mode is not None:
        return Explanation(
            "xdp-modes-mixed",
            f"{device.name} runs a program in {mode.name.lower()} mode, and takes none in another",
            tuple(evidence),
            f"detach that one first: {off}",
        )
    first = device.xdp[0]
    remedy = f"an interface runs one: detach that one first: {off}"
    if failure.call == "netlink" and " net detach " in off:
        remedy = f"overwrite puts the program in its place; or detach that one first: {off}"
    words = f"{device.name} runs an XDP program already: {first.prog_id} {_name(first.prog_id)}"
    return Explanation(
        "xdp-busy",
        words.rstrip(),
        tuple(evidence),
        remedy,
    )


def _mode(there: tuple[XdpAttachment, ...]) -> XdpMode | None:
    modes = {one.mode for one in there}
    return modes.pop() if len(modes) == 1 else None


def _holder(device: Interface, one: XdpAttachment) -> Iterator[str]:
    """Say by which link, and of whom, or that there is none."""
    head = f"program {one.prog_id} {_name(one.prog_id)}".rstrip()
    mode = f"in {one.mode.name.lower()} mode"
    try:
        link = _link(device, one)
    except BpfctlError:
        yield f"{head} {mode}; it takes CAP_SYS_ADMIN to tell whether a link holds it there"
        return
    if link is None:
        yield f"{head} {mode}, attached by netlink, as ip link does: no link holds it"
        return
    yield f"{head} {mode}, by link {link.id}"
    yield from _keepers(link)


def _link(device: Interface, one: XdpAttachment) -> LinkInfo | None:
    """Find the link that a program is on an interface by. Raises: SyscallError (EPERM)."""
    for info in links():
        index = getattr(info.details, "ifindex", 0)
        if info.type == LinkType.XDP and (info.prog_id, index) == (one.prog_id, device.ifindex):
            return info
    return None


def _keepers(link: LinkInfo) -> Iterator[str]:
    from bpfctl.objects.holders import holders
    from bpfctl.objects.pin import pins

    key = (ObjectKind.LINK, link.id)
    yield from (f"link {link.id} is pinned at {path}" for path in pins().get(key, ()))
    yield from (f"link {link.id} is held by {one}" for one in holders({key}).by.get(key, ()))


def _name(prog_id: int) -> str:
    try:
        with open_id(ObjectKind.PROG, prog_id) as fd:
            return prog_info(fd).name
    except BpfctlError:
        return ""


def _off(device: Interface, one: XdpAttachment) -> str:
    try:
        link = _link(device, one)
    except BpfctlError:
        return "see bpfctl link show, as root"
    if link is not None:
        return f"bpfctl link detach id {link.id}"
    return f"bpfctl net detach {WORDS.get(one.mode, 'xdp')} dev {device.name}"


# --- the driver and the MTU -----------------------------------------------------------------------


def _driver(failure: Failure, device: Interface, target: targets.Xdp) -> Explanation | None:
    """Ask the kernel what the driver can do; where it does not tell, this is a candidate."""
    if target.mode not in ("driver", "offload"):
        return None
    features = xdp_features(device.ifindex)
    needed = XdpFeatures.BASIC if target.mode == "driver" else XdpFeatures.HW_OFFLOAD
    what = f"the driver of {device.name} has no {target.mode} mode"
    remedy = "use generic mode, which needs nothing of the driver and is slower"
    if features is None:
        kind = f", which is of kind {device.kind}," if device.kind else ""
        failure.candidates.append(f"the driver of {device.name}{kind} has no {target.mode} mode")
        failure.error.remedy = remedy
        return None
    if features & needed:
        listed = ", ".join(_feature_names(features))
        failure.evidence.append(f"the driver of {device.name} lists: {listed}")
        failure.candidates.append("the driver wants other settings (check: dmesg, ethtool -k)")
        return None
    listed = ", ".join(_feature_names(features)) or "none"
    evidence = f"XDP features of {device.name} that the kernel lists: {listed}"
    return Explanation("xdp-mode", what, (evidence,), remedy)


def _feature_names(features: XdpFeatures) -> list[str]:
    return [
        one.name.lower().replace("_", "-") for one in XdpFeatures if one & features and one.name
    ]


def _mtu(device: Interface) -> Explanation:
    """Say whose MTU it is: veth answers ERANGE for nothing else (Linux 5.10 to 7.3)."""
    peer = next((one for one in interfaces() if one.ifindex == device.peer), None)
    name = peer.name if peer else f"the other side of {device.name}"
    mtu = f" ({peer.mtu})" if peer else ""
    change = f"ip link set {peer.name} mtu 1500" if peer else f"lower the MTU of {name}"
    return Explanation(
        "xdp-mtu",
        f"the MTU of {name}{mtu} is too large for an XDP program without fragments",
        (f"{device.name} is a veth and answers ERANGE: a packet must fit a page",),
        f'{change}; or load it as section "xdp.frags" (Linux 5.18)',
    )


def _candidates(failure: Failure, device: Interface, target: targets.Xdp) -> None:
    """EINVAL has too many causes to name one."""
    prog = failure.fact(ProgInfo)
    if target.mode == "offload":
        failure.candidates += [
            f"the driver of {device.name} has no offload mode",
            f"the program was not loaded for it (prog load ... offload_dev {device.name})",
        ]
        return
    if prog is not None and prog.ifindex:
        failure.evidence.append(f"the program is bound to the interface of index {prog.ifindex}")
    failure.candidates.append(
        "the program was loaded for a devmap or cpumap (sections xdp/devmap and xdp/cpumap)"
    )
    if device.mtu > _PAGE_LEAVES:
        failure.candidates.append(
            f"the MTU of {device.name} ({device.mtu}) is too large for this driver without"
            ' fragments (check: section "xdp.frags", or a lower MTU)'
        )
