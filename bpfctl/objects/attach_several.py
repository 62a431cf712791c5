"""Attach programs where one link may not reach all of a target."""

from __future__ import annotations

from contextlib import ExitStack

from bpfctl.errors import SyscallError
from bpfctl.linux.cpus import online_cpu_numbers
from bpfctl.objects import attach_probe_targets as probes
from bpfctl.objects.attach import create_link
from bpfctl.objects.attach_usdt import link_usdt
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_targets import Target
    from bpfctl.objects.prog import ProgInfo


def create_links(
    prog_fd: Fd, prog: ProgInfo, target: Target, maps: Collection[Fd] = ()
) -> list[Fd]:
    """Attach a program; the caller closes the links, at least one.

    There are several for a static probe in several places (before Linux 6.6) and for a perf event
    on every CPU. `maps` are the program's, if they are open: static probes write to one.
    Whatever fails, nothing stays attached. Raises: as `create_link`.
    """
    if isinstance(target, probes.PerfEvent) and target.every_cpu:
        with ExitStack() as made:
            links = [
                made.enter_context(create_link(prog_fd, prog, one)) for one in each_cpu(target)
            ]
            made.pop_all()
        return links
    if not isinstance(target, probes.Usdt):
        return [create_link(prog_fd, prog, target)]
    try:
        return link_usdt(prog_fd, target, maps)
    except SyscallError as err:
        from bpfctl.objects.attach_explain import explain

        raise explain(err, prog, target) from err


def each_cpu(target: probes.PerfEvent) -> list[probes.PerfEvent]:
    """Return the events on single CPUs that an event on every CPU is. Raises: PathError."""
    return [replace(target, cpu=cpu, every_cpu=False) for cpu in online_cpu_numbers()]
