"""Attach a program to many functions by one link."""

from __future__ import annotations

from bpfctl.errors import NotFoundError, SyscallError, UsageError
from bpfctl.kernel.attr_link import link_create, with_file_places, with_functions, with_types
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_probe_targets import KprobeMulti, TracingMulti, UprobeMulti

# BPF_F_KPROBE_MULTI_RETURN and BPF_F_UPROBE_MULTI_RETURN, include/uapi/linux/bpf.h.
_RETURN: Final = 1


def link_kprobes(prog_fd: Fd, target: KprobeMulti) -> Fd:
    """Link a program to functions of the kernel (Linux 5.18; sessions 6.10).

    Raises: NotFoundError (nothing matches the pattern), UsageError (cookies of another number),
    PathError, SyscallError.
    """
    addresses = _matching(target.pattern) if target.pattern else ()
    _check_cookies(len(addresses or target.functions), target)
    attr = link_create(
        prog_fd=prog_fd,
        attach_type=AttachType.TRACE_KPROBE_SESSION
        if target.is_session
        else AttachType.TRACE_KPROBE_MULTI,
        doing=f"attach to {target}",
    )
    return bpf_fd(
        with_functions(
            attr,
            names=target.functions,
            addresses=addresses,
            cookies=target.cookies,
            flags=_RETURN if target.is_return else 0,
        )
    )


def _matching(pattern: str) -> tuple[int, ...]:
    from bpfctl.linux.probe_functions import functions_matching

    found = functions_matching(pattern)
    if not found:
        raise NotFoundError(
            f"this kernel has no traceable function that matches {pattern}",
            code="no-such-function",
        )
    return tuple(found)


def link_functions(prog_fd: Fd, target: TracingMulti) -> Fd:
    """Link a tracing program to functions of the kernel (Linux 7.2).

    Raises: NotFoundError (no such function, or nothing matches the pattern), UsageError (cookies
    of another number), NotSupportedError (the kernel shows no types), PathError, SyscallError.
    """
    ids = _types(target)
    _check_cookies(len(ids), target)
    attr = link_create(prog_fd=prog_fd, attach_type=target.attach_type, doing=f"attach to {target}")
    return bpf_fd(with_types(attr, ids, cookies=target.cookies))


def _types(target: TracingMulti) -> list[int]:
    """The kernel's types of the functions; those without a type match no pattern."""
    from bpfctl.btf.types import Kind
    from bpfctl.objects.btf import kernel_btf

    btf = kernel_btf()
    names = target.functions
    if target.pattern:
        from bpfctl.linux.probe_functions import functions_matching

        names = tuple(dict.fromkeys(functions_matching(target.pattern).values()))
    found = {name: btf.find(name, Kind.FUNC) for name in names}
    missing = [name for name, number in found.items() if number is None]
    ids = [number for number in found.values() if number is not None]
    if not ids or (missing and not target.pattern):
        what = missing[0] if missing and not target.pattern else f"that matches {target.pattern}"
        raise NotFoundError(f"this kernel's types have no function {what}", code="no-such-function")
    return ids


def link_uprobes(prog_fd: Fd, target: UprobeMulti) -> Fd:
    """Link a program to functions of a file (Linux 6.6; sessions 6.13).

    Raises: NotFoundError (no such function or process), AmbiguousError, UsageError (cookies of
    another number), PathError, ObjectFileError, SyscallError.
    """
    from bpfctl.objects.attach_places import check_process
    from bpfctl.objects.binary_places import binary_path, functions_matching, place_offsets

    check_process(target.pid)
    path = binary_path(target.path)
    if target.pattern:
        offsets = list(functions_matching(path, target.pattern).values())
    else:
        offsets = place_offsets(path, target.functions)
    _check_cookies(len(offsets), target)
    attr = link_create(
        prog_fd=prog_fd,
        attach_type=AttachType.TRACE_UPROBE_SESSION
        if target.is_session
        else AttachType.TRACE_UPROBE_MULTI,
        doing=f"attach to {target}",
    )
    with_file_places(
        attr,
        path,
        offsets,
        cookies=target.cookies,
        flags=_RETURN if target.is_return else 0,
        pid=target.pid,
    )
    try:
        return bpf_fd(attr)
    except SyscallError as err:
        from bpfctl.objects.attach_explain_event import behind_end

        raise behind_end(err, path, offsets) or err from err


def _check_cookies(count: int, target: KprobeMulti | TracingMulti | UprobeMulti) -> None:
    if target.cookies and len(target.cookies) != count:
        raise UsageError(
            f"{len(target.cookies)} cookies for {count} functions: each takes one",
            code="cookie-count",
        )
