"""The one function that enters the kernel for bpf(2)."""

from __future__ import annotations

import errno
import time

from bpfctl.errors import KeyNotFoundError, SyscallError
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.libc import ffi, lib, syscall_number
from bpfctl.kernel.uapi import Cmd
from bpfctl.plain_tools import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from bpfctl.kernel.request import Attr

    Enter = Callable[[int, Any, int], int]
    Tracer = Callable[[str, str, int, int, int], None]

# Loading a program is interrupted by signals; libbpf gives up after as many attempts.
_PROG_LOAD_TRIES = 5
_COMMON_ATTRS = 1 << 16
_LOG_BYTES = 4096
_MAKING_COMMANDS = frozenset((Cmd.MAP_CREATE,))  # those of which `kernel_words` may be asked
_KEY_COMMANDS = frozenset(
    (Cmd.MAP_LOOKUP_ELEM, Cmd.MAP_DELETE_ELEM, Cmd.MAP_LOOKUP_AND_DELETE_ELEM)
)


def _enter_kernel(cmd: int, union: Any, size: int) -> int:
    """Issue bpf(2); return its result, or the negative errno."""
    result: int = lib.syscall(
        syscall_number("bpf"), ffi.cast("int", cmd), union, ffi.cast("unsigned int", size)
    )
    return result if result >= 0 else -ffi.errno


_enter: Enter = _enter_kernel
_tracer: Tracer | None = None


def try_bpf(attr: Attr) -> int:
    """Make the call and return its result, or the negative errno: for those who expect errors."""
    size = attr.size
    started = time.perf_counter_ns() if _tracer else 0
    result = _enter(attr.cmd, attr.union, size)
    for _ in range(_PROG_LOAD_TRIES - 1):
        if result != -errno.EAGAIN or attr.cmd != Cmd.PROG_LOAD:
            break
        result = _enter(attr.cmd, attr.union, size)
    if _tracer:
        _tracer(attr.call, attr.doing, size, result, time.perf_counter_ns() - started)
    return result


def bpf(attr: Attr) -> int:
    """Make the call and return what it returns.

    Raises: KeyNotFoundError when a map has no such key, else SyscallError with the errno.
    """
    result = try_bpf(attr)
    if result >= 0:
        return result
    is_key = result == -errno.ENOENT and attr.cmd in _KEY_COMMANDS
    kind = KeyNotFoundError if is_key else SyscallError
    error = kind(-result, attr.call, attr.doing)
    error.request = attr
    raise error


def bpf_fd(attr: Attr) -> Fd:
    """Make a call that returns a descriptor, and own it. Raises: SyscallError."""
    return Fd(bpf(attr))


def kernel_words(attr: Attr) -> str:
    """Make a call again for what the kernel says of it; "" from one that says nothing.

    What such a call makes is closed at once. Kernels before Linux 7.2 take it for a command they
    do not know. Source: BPF_COMMON_ATTRS and struct bpf_common_attr, include/uapi/linux/bpf.h.
    """
    log = ffi.new("char[]", _LOG_BYTES)
    common = ffi.new("struct bpf_common_attr *")
    common.log_buf, common.log_size, common.log_level = _address(log), _LOG_BYTES, 1
    result = _enter_logged(attr.cmd, attr.union, attr.size, common)
    if result >= 0 and attr.cmd in _MAKING_COMMANDS:
        Fd(result).close()
    return str(ffi.string(log).decode("utf-8", "replace").strip())


def _address(data: Any) -> int:
    return int(ffi.cast("uintptr_t", data))


def _enter_logged(cmd: int, union: Any, size: int, common: Any) -> int:
    """Issue bpf(2) with room for words; a fake kernel has none."""
    if _enter is not _enter_kernel:
        return -errno.EINVAL
    result: int = lib.syscall(
        syscall_number("bpf"),
        ffi.cast("int", cmd | _COMMON_ATTRS),
        union,
        ffi.cast("unsigned int", size),
        common,
        ffi.cast("unsigned int", ffi.sizeof("struct bpf_common_attr")),
    )
    return result if result >= 0 else -ffi.errno


def set_tracer(tracer: Tracer | None) -> None:
    """Have each call reported: its name, what it is for, attr size, result, and nanoseconds."""
    global _tracer  # noqa: PLW0603 - there is one kernel, and one way into it
    _tracer = tracer


@contextmanager
def replaced(fake: Enter) -> Iterator[None]:
    """Answer calls by `fake(cmd, union, size)`, a result or a negative errno: for unit tests."""
    global _enter  # noqa: PLW0603 - there is one kernel, and one way into it
    before, _enter = _enter, fake
    try:
        yield
    finally:
        _enter = before


def command_name(cmd: int) -> str:
    """Return the UAPI's name of a command ("BPF_MAP_CREATE")."""
    from bpfctl.kernel.names import label

    found = label(Cmd, cmd)
    return f"BPF_{found.upper()}" if isinstance(found, str) else f"bpf command {cmd}"
