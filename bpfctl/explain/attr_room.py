"""How much of a request the running kernel takes, found out with requests that do nothing."""

from __future__ import annotations

import errno

from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.request import Attr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_NO_COMMAND: Any = 0x7FFF  # bit 16 and above have meanings of their own


def measure_attr() -> int | None:
    """Return how many bytes the kernel's own union bpf_attr has; None where it does not tell.

    It looks for bytes it does not know, and answers E2BIG, before it looks at the command, which
    it does not know either: EINVAL (bpf_check_uarg_tail_zero and __sys_bpf, kernel/bpf/syscall.c,
    Linux 5.10 to 7.3). Requests longer than ours are not measured.
    """
    request = Attr(_NO_COMMAND, "measure union bpf_attr")
    data = ffi.buffer(request.union)
    low, high = 0, len(data)
    while low < high:
        middle = (low + high + 1) // 2
        data[:] = bytes(middle - 1) + b"\1" + bytes(len(data) - middle)
        answer = -try_bpf(request)
        if answer not in {errno.E2BIG, errno.EINVAL}:
            return None
        low, high = (low, middle - 1) if answer == errno.E2BIG else (middle, high)
    return low
