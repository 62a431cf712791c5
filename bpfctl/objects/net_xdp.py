"""XDP programs on interfaces without a link: they stay until they are taken away.

Source: dev_change_xdp_fd() and dev_xdp_attach(), net/core/dev.c, Linux 5.10 to 7.3.
"""

from __future__ import annotations

import errno

from bpfctl.errors import NotFoundError, OutputError, SyscallError, UsageError
from bpfctl.kernel.flags import XdpFlags
from bpfctl.kernel.netlink import XdpMode, interfaces
from bpfctl.kernel.route import set_xdp
from bpfctl.objects.attach_places import find_interface
from bpfctl.objects.attach_targets import XDP_MODES, Xdp
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import id_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.kernel.fd import Fd
    from bpfctl.kernel.netlink import XdpAttachment

WORDS: Final = {
    XdpMode.DRIVER: "xdpdrv",
    XdpMode.GENERIC: "xdpgeneric",
    XdpMode.OFFLOAD: "xdpoffload",
}
"""What `net attach` calls the modes."""


def attach_xdp(
    prog_fd: Fd, target: Xdp, *, overwrite: bool = False, instead: Fd | None = None
) -> None:
    """Put a program on an interface: where none is, or with `overwrite` in place of any.

    `instead` is the program that must be there until then. Raises: NotFoundError (no such
    interface), OutputError (another program is there), SyscallError.
    """
    flags = XDP_MODES[target.mode] if target.mode else XdpFlags(0)
    if instead is not None:
        flags |= XdpFlags.REPLACE
    elif not overwrite:
        flags |= XdpFlags.UPDATE_IF_NOEXIST
    _set(prog_fd, target, flags, instead)


def detach_xdp(target: Xdp, prog_fd: Fd | None = None) -> bool:
    """Take away the program of a mode, or without a mode the only one; say whether one was there.

    With `prog_fd` it must be that program. Raises: NotFoundError (no such interface, or a program
    in another mode), UsageError (several modes), OutputError (another program), SyscallError.
    """
    there = _there(target)
    if not there:
        return False
    mode = next((mode for mode in WORDS if mode.name.lower() == target.mode), None)
    if mode is None and len(there) > 1:
        raise _several(target, there)
    mode = mode or there[0].mode
    if mode not in [one.mode for one in there]:
        raise _in_other_mode(target, there)
    flags = XDP_MODES[mode.name.lower()] | (XdpFlags.REPLACE if prog_fd else 0)
    _set(None, target, flags, prog_fd)
    return True


def _set(prog_fd: Fd | None, target: Xdp, flags: XdpFlags, expected: Fd | None) -> None:
    doing = f"attach to {target}" if prog_fd else f"detach from {target}"
    index = find_interface(target.device)
    try:
        set_xdp(
            index,
            prog_fd.fileno() if prog_fd else None,
            flags=flags,
            expected_fd=expected.fileno() if expected else None,
            doing=doing,
        )
    except SyscallError as err:
        if expected is not None and err.errno in (errno.EEXIST, errno.EBUSY):
            _refuse_another(err, target, expected)
        raise


def _refuse_another(err: SyscallError, target: Xdp, expected: Fd) -> None:
    """Raise OutputError where the program there is not the expected one."""
    wanted, there = id_of(ObjectKind.PROG, expected), _there(target)
    if wanted in [one.prog_id for one in there]:
        return
    found = f"runs program {there[0].prog_id}" if there else "runs no program"
    raise OutputError(
        f"{target.device} {found}, not {wanted}",
        code="net-other-program",
        evidence=err.evidence,
        remedy=f"see: bpfctl net show dev {target.device}",
    ) from err


def _there(target: Xdp) -> tuple[XdpAttachment, ...]:
    index = find_interface(target.device)
    return next((one.xdp for one in interfaces() if one.ifindex == index), ())


def _several(target: Xdp, there: tuple[XdpAttachment, ...]) -> UsageError:
    listed = [f"program {one.prog_id} in {one.mode.name.lower()} mode" for one in there]
    return UsageError(
        f"{target.device} runs several XDP programs: say which mode is meant",
        code="net-which",
        evidence=listed,
        remedy=f"one of {', '.join(WORDS[one.mode] for one in there)}",
    )


def _in_other_mode(target: Xdp, there: tuple[XdpAttachment, ...]) -> NotFoundError:
    first = there[0]
    mode = first.mode.name.lower()
    return NotFoundError(
        f"{target.device} runs no XDP program in {target.mode} mode",
        code="net-not-attached",
        evidence=[f"it runs program {first.prog_id} in {mode} mode"],
        remedy=f"bpfctl net detach {WORDS[first.mode]} dev {target.device}",
    )
