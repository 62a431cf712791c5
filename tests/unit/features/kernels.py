"""Kernels for tests of probes: type information with the probes' targets, and answers to calls."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.types import Enum, EnumValue, Func, FuncProto, Int, Ptr, Typedef
from bpfctl.features.facts import Facts
from bpfctl.kernel.uapi import Cmd
from bpfctl.linux.kconfig import KernelConfig
from tests.fakes.kernel import FakeKernel, memory

if TYPE_CHECKING:
    from collections.abc import Callable

FUNCTIONS = (
    *("bpf_fentry_test1", "bpf_modify_return_test", "bpf_iter_task"),
    *("bpf_lsm_file_open", "bpf_lsm_socket_create"),
)
ASKED = (Cmd.PROG_LOAD, Cmd.MAP_CREATE, Cmd.BTF_LOAD, Cmd.LINK_CREATE, Cmd.MAP_LOOKUP_BATCH)


def vmlinux(*attach_types: str) -> bytes:
    """Return type information that has each target the probes look for, and a list if given."""
    builder = BtfBuilder()
    builder.add(Int(1, "int", 4, 1, 0, 32))
    builder.add(FuncProto(2, "", 1, ()))
    builder.add(Ptr(3, "", 2))
    builder.add(Typedef(4, "btf_trace_sched_process_exec", 3))
    for number, name in enumerate(FUNCTIONS, 5):
        builder.add(Func(number, name, 2, 0))
    if attach_types:
        values = tuple(EnumValue(name, value) for value, name in enumerate(attach_types))
        builder.add(Enum(5 + len(FUNCTIONS), "bpf_attach_type", 4, False, values))
    return builder.build()


def answering(number: int) -> FakeKernel:
    """Return a kernel that answers each call of the probes alike."""
    kernel = FakeKernel()
    for cmd in ASKED:
        kernel.on(cmd, number)
    return kernel


def willing() -> FakeKernel:
    """Return a kernel that makes whatever it is asked for, but no program of type 0."""
    kernel = FakeKernel()
    kernel.on(Cmd.PROG_LOAD, -errno.EINVAL, kernel.new_fd).on(Cmd.MAP_LOOKUP_BATCH, 0)
    for cmd in (Cmd.MAP_CREATE, Cmd.BTF_LOAD, Cmd.LINK_CREATE):
        kernel.on(cmd, kernel.new_fd)
    return kernel


def with_log(number: int, text: str) -> Callable[[Any, int], int]:
    """Answer PROG_LOAD with an errno and words in the verifier log."""

    def answer(union: Any, size: int) -> int:
        del size
        memory(union.log_buf, union.log_size)[: len(text) + 1] = text.encode() + b"\0"
        return -number

    return answer


def facts(*, release: str = "6.18.44", options: dict[str, str] | None = None) -> Facts:
    """Return what a kernel says of itself; without `options` nothing tells its configuration."""
    return Facts(
        release=release,
        machine="x86_64",
        lockdown="integrity",
        lsms=("lockdown", "capability", "bpf"),
        sysctls={"unprivileged_bpf_disabled": 2, "bpf_jit_enable": 1, "bpf_jit_limit": None},
        config=None if options is None else KernelConfig("/boot/config", options),
        seccomp=False,
    )
