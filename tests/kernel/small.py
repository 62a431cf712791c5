"""The smallest program there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfctl.kernel.attr import prog_load
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import ProgType

if TYPE_CHECKING:
    from bpfctl.kernel.fd import Fd

RETURN_2 = bytes.fromhex("b7000000020000009500000000000000")
RETURN_0 = bytes.fromhex("b7000000000000009500000000000000")


def load(prog_type: int = ProgType.SOCKET_FILTER, *, code: bytes = RETURN_2, **more: Any) -> Fd:
    """Load a program that returns 2 and is called core_test."""
    return bpf_fd(
        prog_load(prog_type=prog_type, insns=code, license="GPL", name="core_test", **more)
    )
