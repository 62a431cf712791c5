"""Link iterators to what they walk."""

from __future__ import annotations

import errno
import struct
from contextlib import ExitStack

from bpfctl.errors import BpfctlError, NotFoundError, NotSupportedError, SyscallError, UsageError
from bpfctl.kernel.attr_link import link_create, with_iterator
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType, CgroupIterOrder
from bpfctl.objects.attach_targets import Iter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_targets import Loaded
    from bpfctl.objects.prog import ProgInfo

_ITERATORS = "bpf_iter_"  # what the functions of iterators begin with


def link_iterator(prog_fd: Fd, target: Iter) -> Fd:
    """Link an iterator program with its parameters; the caller closes the link.

    Kernels before 6.1 take the parameters of task iterators and ignore them: the link is then
    refused, because it would walk everything.
    Raises: UsageError (a parameter this iterator does not take, or lacks), NotSupportedError,
    PathError, SyscallError.
    """
    with ExitStack() as stack:
        attr = link_create(
            prog_fd=prog_fd, attach_type=AttachType.TRACE_ITER, doing=f"link {target}"
        )
        with_iterator(attr, _parameters(target, stack))
        try:
            link = bpf_fd(attr)
        except SyscallError as err:
            raise _explain(err, prog_fd, target) from err
    try:
        _check(link, target)
    except BaseException:
        link.close()
        raise
    return link


def _parameters(target: Iter, stack: ExitStack) -> bytes:
    """Pack union bpf_iter_link_info (include/uapi/linux/bpf.h, Linux 6.2); b"" without any."""
    if target.map_fd is not None:
        return struct.pack("=I", target.map_fd)
    if _given(target) == "pid":
        return struct.pack("=III", target.tid or 0, target.pid or 0, target.pid_fd or 0)
    order = target.order or CgroupIterOrder.DESCENDANTS_PRE
    if target.cgroup_id is not None:
        return struct.pack("=IIQ", order, 0, target.cgroup_id)
    if target.cgroup is None:
        return b""
    from bpfctl.objects.attach_places import open_directory

    group = stack.enter_context(open_directory(target.cgroup))
    return struct.pack("=IIQ", order, group.fileno(), 0)


def _explain(err: SyscallError, prog_fd: Fd, target: Iter) -> Exception:
    """Word the errors that parameters cause (bpf_iter_attach_map and its like, Linux 6.18)."""
    nothing_given = target == type(target)()
    given = _given(target)
    walks = _walked(prog_fd) if given else ""
    if given and walks and walks not in _takers(given):
        return _not_taken(walks, given)
    if err.errno == errno.EBADF and nothing_given:
        return UsageError(
            "this iterator walks the elements of a map: say of which",
            code="iterator-needs-map",
            remedy="iter run OBJ map MAP, or link create PROG iter map MAP --pin PATH",
        )
    if err.errno in (errno.EBADF, errno.ENOENT) and given != "map":
        return _no_such(target) or err
    if not nothing_given and err.errno in (errno.EINVAL, errno.EBADF, errno.EACCES):
        what = "takes no map, or not one of this type"
        if target.map_fd is None:
            what = "does not take this parameter, or not this value"
        err.candidates.append(f"the iterator {what}")
    return err


def _no_such(target: Iter) -> Exception | None:
    """Say that what the iterator is to walk is not there, or is something else.

    Sources: bpf_iter_attach_cgroup, kernel/bpf/cgroup_iter.c, and bpf_iter_attach_task,
    kernel/bpf/task_iter.c, Linux 6.1.
    """
    if target.cgroup is not None:
        from bpfctl.objects.attach_explain_cgroup import no_cgroup

        return no_cgroup(target.cgroup)
    if target.cgroup_id is not None:
        return NotFoundError(f"there is no cgroup with id {target.cgroup_id}", code="no-cgroup")
    if target.pid_fd is None:
        return None
    return UsageError(
        f"descriptor {target.pid_fd} of this process stands for no process", code="not-pidfd"
    )


def lacks_cgroup(err: SyscallError, prog: ProgInfo, target: Loaded | Iter) -> UsageError | None:
    """Say that an iterator over cgroups was given none, or that it is no iterator, if that is why.

    Costs a look at the kernel's types. Source: bpf_iter_attach_cgroup, kernel/bpf/cgroup_iter.c,
    Linux 6.1: an order is required, and a cgroup that is not given is the root.
    """
    asked = isinstance(target, Iter)
    if asked and err.errno != errno.EINVAL:
        return None
    function = _function_of(prog)
    if asked and function and not function.startswith(_ITERATORS):
        return UsageError("the program is no iterator", code="no-iterator")
    if function != f"{_ITERATORS}cgroup" or (asked and target != type(target)()):
        return None
    return UsageError(
        "this iterator walks cgroups: say of which",
        code="iterator-needs-cgroup",
        remedy="iter run OBJ cgroup DIR, or link create PROG iter cgroup DIR --pin PATH",
    )


def _walked(prog_fd: Fd) -> str:
    """Name what the iterator of a program walks; "" where the kernel does not tell."""
    from bpfctl.objects.prog import prog_info

    try:
        return _target_of(prog_info(prog_fd))
    except BpfctlError:
        return ""


def _target_of(prog: ProgInfo) -> str:
    """The same of a program that has been asked about; "" for what is no iterator."""
    function = _function_of(prog)
    return function.removeprefix(_ITERATORS) if function.startswith(_ITERATORS) else ""


def _function_of(prog: ProgInfo) -> str:
    """Name the kernel's function that a program was loaded for; costs a look at its types."""
    from bpfctl.objects.btf import kernel_btf

    try:
        return kernel_btf().name(prog.attach_btf_id) if prog.attach_btf_id else ""
    except BpfctlError:
        return ""


def _takers(given: str) -> frozenset[str]:
    """The iterators that take a parameter."""
    from bpfctl.objects import link_kinds

    takers = {
        "map": link_kinds.MAP_TARGETS,
        "pid": link_kinds.TASK_TARGETS,
        "cgroup": ("cgroup",),
    }
    return frozenset(takers[given])


def _not_taken(walks: str, given: str) -> UsageError:
    return UsageError(
        f"the iterator walks {walks}, and takes no {given}", code="iterator-parameter"
    )


def _check(link: Fd, target: Iter) -> None:
    """Make sure that the kernel understood the parameters.

    They share a union: what is meant as a map would be the number of a thread to an iterator
    over tasks, and others ignore it.
    Raises: NotSupportedError, UsageError.
    """
    given = _given(target)
    if given is None:
        return
    from bpfctl.objects import link_kinds
    from bpfctl.objects.link import link_info

    details = link_info(link).details
    assert isinstance(details, link_kinds.Iter)
    if details.target_name not in _takers(given):
        raise _not_taken(details.target_name, given)
    if given == "pid" and not (details.tid or details.pid):
        raise NotSupportedError("iterators over one process", "6.1")


def _given(target: Iter) -> str | None:
    """Name the parameter that was given."""
    if target.map_fd is not None:
        return "map"
    if target.tid or target.pid or target.pid_fd:
        return "pid"
    return None if target.cgroup is None and target.cgroup_id is None else "cgroup"
