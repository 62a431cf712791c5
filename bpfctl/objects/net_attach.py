"""Attach programs to interfaces, and detach them, without links: nobody has to hold them."""

from __future__ import annotations

import errno
from contextlib import contextmanager

from bpfctl.errors import BpfctlError, NotFoundError, SyscallError
from bpfctl.objects.attach_net_targets import Filter, Netkit
from bpfctl.objects.attach_targets import Tcx, Xdp
from bpfctl.objects.net_filter import attach_filter, detach_from, find_filters, words
from bpfctl.objects.net_order import attach_ordered, detach_ordered
from bpfctl.objects.net_xdp import attach_xdp, detach_xdp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.prog import ProgInfo

NetPlace = Xdp | Tcx | Netkit | Filter


def attach(
    prog_fd: Fd,
    prog: ProgInfo,
    target: NetPlace,
    *,
    overwrite: bool = False,
    instead: Fd | None = None,
) -> None:
    """Attach a program; with `overwrite` in place of the one there, or of the program `instead`.

    Whatever fails, nothing stays. Raises: NotFoundError, UsageError (a program that cannot go
    there), OutputError (another one is there), NotSupportedError, SyscallError.
    """
    with explained(prog, target):
        if isinstance(target, Filter):
            _add_filter(prog_fd, prog, target, overwrite=overwrite)
        elif isinstance(target, Xdp):
            attach_xdp(prog_fd, target, overwrite=overwrite, instead=instead)
        else:
            attach_ordered(prog_fd, target, overwrite=overwrite, instead=instead)


def detach(target: NetPlace, prog_fd: Fd | None = None, prog: ProgInfo | None = None) -> bool:
    """Detach a program, or what is there; say whether there was something.

    Raises: NotFoundError, UsageError (several are there), OutputError, SyscallError.
    """
    with explained(prog, target):
        if isinstance(target, Xdp):
            return detach_xdp(target, prog_fd)
        if isinstance(target, Filter):
            detach_from(target, prog_fd)
        else:
            detach_ordered(target, prog_fd)
    return True


def _add_filter(prog_fd: Fd, prog: ProgInfo, target: Filter, *, overwrite: bool) -> None:
    """Add a filter, unless the program is one there and nobody chose a priority."""
    there = [] if target.priority or overwrite else find_filters(target, prog.id)
    if there:
        raise BpfctlError(
            f"program {prog.id} {prog.name} is a filter there already: {target}",
            code="tc-filter-there",
            evidence=[words(one) for one in there],
            remedy="priority N adds it once more",
        )
    attach_filter(prog_fd, prog.name, target, overwrite=overwrite)


@contextmanager
def explained(prog: ProgInfo | None, target: NetPlace) -> Iterator[None]:
    """Say of a refusal what it was about, and its cause where it is plain from that."""
    try:
        yield
    except SyscallError as err:
        err.knowing(target, *([prog] if prog else []))
        if isinstance(target, Tcx | Netkit):
            _explain_ordered(err, target)
        if prog is None:
            _name_missing(err)
            raise
        from bpfctl.objects.attach_explain import explain

        raise explain(err, prog, target) from err


def _name_missing(err: SyscallError) -> None:
    """Say what is missing for taking away what nobody named (bpf_prog_detach, Linux 6.6)."""
    from bpfctl.linux.caps import Capability
    from bpfctl.objects.denial import name_missing

    if err.call == "BPF_PROG_DETACH":
        name_missing(err, (Capability.NET_ADMIN,))


def _explain_ordered(err: SyscallError, target: Tcx | Netkit) -> None:
    """Raise what EINVAL and ENOENT of tcx and netkit mean."""
    if err.errno == errno.EINVAL:
        from bpfctl.objects.attach_lacking import lacks_links

        lacking = lacks_links(target)
        if lacking is not None:
            raise lacking from err
    if err.errno == errno.ENOENT and err.call == "BPF_PROG_DETACH":
        raise NotFoundError(
            f"nothing of that is attached to {target}",
            code="net-not-attached",
            remedy=f"see: bpfctl net show dev {target.device}",
        ) from err
