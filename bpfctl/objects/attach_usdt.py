"""Attach programs to static probes of executables and libraries (USDT)."""

from __future__ import annotations

import errno
from contextlib import ExitStack

from bpfctl.errors import SyscallError
from bpfctl.kernel import perf
from bpfctl.kernel.attr_link import link_create, with_file_places, with_perf_cookie
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects.attach_perf import probe_source
from bpfctl.objects.attach_places import check_process
from bpfctl.objects.binary_places import binary_path
from bpfctl.objects.usdt_places import find_probe
from bpfctl.objects.usdt_specs import write_addresses, write_specs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bpfctl.elf.usdt_notes import UsdtNote
    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_probe_targets import Usdt
    from bpfctl.objects.usdt_places import Places


def link_usdt(prog_fd: Fd, target: Usdt, maps: Collection[Fd] = ()) -> list[Fd]:
    """Link a program to all places of a static probe; the caller closes the links.

    It is one link, or one for each place where the kernel has no link to several (before Linux
    6.6) or the program was not loaded for that. `maps` are the program's, if they are open.
    Raises: NotFoundError (no such probe or process), NotYetError (an argument we cannot read),
    PathError, ObjectFileError, SyscallError.
    """
    places, numbers = _told(prog_fd, target, maps)
    try:
        return [_link_all(prog_fd, target, places, numbers)]
    except SyscallError as err:
        if err.errno not in (errno.EINVAL, errno.E2BIG):
            raise
    with ExitStack() as made:
        links = [
            made.enter_context(_link_one(prog_fd, target, places.path, note, number))
            for note, number in zip(places.notes, numbers, strict=True)
        ]
        made.pop_all()
    return links


def hold_usdt(prog_fd: Fd, target: Usdt) -> ExitStack:
    """Run a program at all places of a probe without links; closing the result ends it.

    Raises: as `link_usdt`; NotSupportedError (a place that has another address in each process).
    """
    places, numbers = _told(prog_fd, target)
    write_addresses(prog_fd, places, numbers, target.pid)
    with ExitStack() as made:
        for note in places.notes:
            event = made.enter_context(_open(target, places.path, note))
            perf.set_bpf(event, prog_fd)
            perf.enable(event)
        return made.pop_all()


def _told(prog_fd: Fd, target: Usdt, maps: Collection[Fd] = ()) -> tuple[Places, list[int]]:
    """Find the places and tell the program of them; what it knows each by."""
    check_process(target.pid)
    places = find_probe(binary_path(target.path), target.provider, target.name)
    return places, write_specs(prog_fd, places, target.cookie, maps)


def _link_all(prog_fd: Fd, target: Usdt, places: Places, numbers: Sequence[int]) -> Fd:
    attr = link_create(
        prog_fd=prog_fd, attach_type=AttachType.TRACE_UPROBE_MULTI, doing=f"attach to {target}"
    )
    counters = [one.semaphore_offset for one in places.notes]
    return bpf_fd(
        with_file_places(
            attr,
            places.path,
            [one.offset for one in places.notes],
            cookies=numbers,
            ref_ctr_offsets=counters if any(counters) else (),
            pid=target.pid,
        )
    )


def _link_one(prog_fd: Fd, target: Usdt, path: str, note: UsdtNote, number: int) -> Fd:
    """Link by a perf event, as programs that were loaded for one place want it (Linux 5.15)."""
    with _open(target, path, note) as event:
        attr = link_create(
            prog_fd=prog_fd,
            target_fd=event,
            attach_type=AttachType.PERF_EVENT,
            doing=f"attach to {target}",
        )
        return bpf_fd(with_perf_cookie(attr, number))


def _open(target: Usdt, path: str, note: UsdtNote) -> Fd:
    pmu, _ = probe_source("uprobe", is_return=False)
    return perf.open_uprobe(
        pmu, 0, path, note.offset, pid=target.pid, ref_ctr_offset=note.semaphore_offset
    )
