"""Attach a loaded program where the kernel has no links for that. Imported when it has none.

What is attached so goes with the object, as a link does that nobody pinned. A filter of tc can stay
instead: it needs neither a pin nor a process.
"""

from __future__ import annotations

from contextlib import ExitStack

from bpfctl.loader.attachment import Attachment
from bpfctl.loader.pins import unbroken
from bpfctl.objects.attach_held import HoldTarget, held
from bpfctl.objects.attach_net_targets import Filter
from bpfctl.objects.attach_targets import Tcx
from bpfctl.objects.net_attach import explained
from bpfctl.objects.net_filter import attach_filter as add_filter
from bpfctl.objects.net_filter import detach_filter
from bpfctl.objects.prog import prog_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.loader.loaded import LoadedObject
    from bpfctl.objects.attach_targets import Target


def attach_older(
    loaded: LoadedObject, name: str, target: Target, *, stay: bool
) -> Attachment | None:
    """Attach a program in the older way; None where there is none.

    With `stay` it must outlive the object, which only filters of tc do. Raises: as `create_link`.
    """
    if isinstance(target, Tcx):
        return attach_filter(loaded, name, Filter(target.device, target.attach_type), stay=stay)
    if stay or not isinstance(target, HoldTarget):
        return None
    return _held(loaded, name, target)


def attach_filter(loaded: LoadedObject, name: str, target: Filter, *, stay: bool) -> Attachment:
    """Attach a program as a filter of tc; it goes with the object unless it is to `stay`.

    One that stays is taken away when the object is left with an error. Raises: as `create_link`.
    """
    if not stay:
        return _held(loaded, name, target)
    prog_fd = loaded.programs[name].fd
    info = prog_info(prog_fd)
    with explained(info, target), unbroken():
        placed = add_filter(prog_fd, info.name, target, marked=True)
        loaded.undo.callback(detach_filter, placed)
    return Attachment(name, target, stays=True)


def _held(loaded: LoadedObject, name: str, target: HoldTarget) -> Attachment:
    prog_fd = loaded.programs[name].fd
    mine = loaded.resources.enter_context(ExitStack())
    mine.enter_context(held(prog_fd, prog_info(prog_fd), target))
    return Attachment(name, target, held=mine)
