"""Abilities of the kernel that are neither a program type nor a map type nor a link."""

from __future__ import annotations

import errno
from pathlib import Path

from bpfctl.errors import ENOTSUPP
from bpfctl.features.prober import NOTHING
from bpfctl.features.verdict import available, errno_name, judge, not_available, unknown
from bpfctl.kernel.attr import map_batch, map_create, prog_load
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import Cmd, MapType, ProgType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from bpfctl.features.prober import Prober
    from bpfctl.features.verdict import Verdict
    from bpfctl.linux.kconfig import KernelConfig

_MANY_INSNS = 4097  # one more than BPF_MAXINSNS
_MOV_R0_0 = bytes.fromhex("b700000000000000")
_EXIT = bytes.fromhex("9500000000000000")
# r0 = 10; do { r0 -= 1 } while (r0 != 0); exit
_LOOP = bytes.fromhex("b70000000a00000017000000010000005500feff00000000") + _EXIT
# r0 = 0; if r0 < 0 goto +1 (unsigned, 64 bits); r0 = 1; exit
_ISA_V2 = _MOV_R0_0 + bytes.fromhex("a500010000000000b700000001000000") + _EXIT
# the same with a comparison of 32 bits
_ISA_V3 = _MOV_R0_0 + bytes.fromhex("a600010000000000b700000001000000") + _EXIT
# *(u64 *)(r10 - 8) = 1; r0 = *(s8 *)(r10 - 8); r0 = (s8)r0; r0 = bswap16 r0; r0 s/= 2; gotol +0;
# exit. All of version 4: stable kernels (6.1.176) have a part of it.
_ISA_V4 = bytes.fromhex(
    "7a0af8ff0100000091a0f8ff00000000bf00080000000000"
    "d700000010000000370001000200000006000000000000009500000000000000"
)


# What a program may have, by bpftool's name without "have_": code that has it, and since when.
ABILITIES: Final = {
    "large_insn_limit": (_MOV_R0_0 * (_MANY_INSNS - 1) + _EXIT, "5.2"),
    "bounded_loops": (_LOOP, "5.3"),
    "v2_isa_extension": (_ISA_V2, "4.14"),
    "v3_isa_extension": (_ISA_V3, "5.1"),
    "v4_isa_extension": (_ISA_V4, "6.6"),
}


def probe_misc(prober: Prober) -> dict[str, Verdict]:
    """Return a verdict for each ability, by the name bpftool gives it without "have_"."""
    answers = {name: _loads(prober, *how) for name, how in ABILITIES.items()}
    asked: dict[str, Callable[[], Verdict]] = {
        "object_names": lambda: _object_names(prober),
        "batch_operations": lambda: _batch(prober),
        "log_true_size": lambda: _log_true_size(prober),
        "btf_load": lambda: _btf_load(prober),
        "kernel_btf": lambda: _kernel_btf(prober),
    }
    return answers | {name: ask() for name, ask in asked.items()}


def _loads(prober: Prober, code: bytes, since: str) -> Verdict:
    """Say whether a program with some instructions passes the verifier.

    Programs of unprivileged users have lower limits and may not loop, whatever the kernel can do.
    """
    number, _ = prober.load(ProgType.SOCKET_FILTER, code=code)
    no = frozenset({errno.EINVAL, errno.E2BIG} if prober.privileged else ())
    return judge(number, no=no, yes=frozenset(), since=since)


def _object_names(prober: Prober) -> Verdict:
    named = map_create(
        map_type=MapType.ARRAY, key_size=4, value_size=4, max_entries=1, name="bpfctl_probe"
    )
    result = prober.call(named)
    if result >= 0:
        Fd(result).close()
    return judge(max(-result, 0), no=frozenset({errno.E2BIG}), yes=frozenset(), since="4.15")


def _batch(prober: Prober) -> Verdict:
    """Look elements up in an empty map: the end is reached at once (ENOENT)."""
    empty = prober.inner_map()
    if empty is None:
        number = prober.inner_errno
        return unknown(f"no map can be made: {errno_name(number)}", number, "5.6")
    position, key, value = bytearray(4), bytearray(4), bytearray(4)
    request = map_batch(Cmd.MAP_LOOKUP_BATCH, empty, None, position, key, value, 1)
    number = max(-try_bpf(request), 0)
    end = frozenset({errno.ENOENT})
    return judge(number, no=frozenset({errno.EINVAL, ENOTSUPP}), yes=end, since="5.6")


def _log_true_size(prober: Prober) -> Verdict:
    """Load with a log: a kernel that can tell writes how long the log is."""
    request = prober.request(ProgType.SOCKET_FILTER, NOTHING)
    number, _ = prober.ask(request)
    if request.log_true_size:
        return available("6.4")
    if number:
        return unknown(f"the kernel answers {errno_name(number)}", number, "6.4")
    return not_available("the kernel leaves the field at 0", since="6.4")


def _btf_load(prober: Prober) -> Verdict:
    if prober.storage_btf() is not None:
        return available("4.18")
    number = prober.storage_errno
    return judge(number, no=frozenset({errno.EINVAL}), yes=frozenset(), since="4.18")


def _kernel_btf(prober: Prober) -> Verdict:
    if prober.kernel_btf is not None:
        return available("5.4")
    if Path(prober.vmlinux).exists():
        return unknown(f"{prober.vmlinux} cannot be read", since="5.4")
    return not_available("CONFIG_DEBUG_INFO_BTF is not set", since="5.4")


def probe_syscall(*, filtered: bool | None = False) -> Verdict:
    """Say whether the kernel has bpf(2) at all.

    `filtered` says that a seccomp filter decides about our calls: ENOSYS may be its answer.
    """
    number = max(-try_bpf(prog_load(prog_type=0, insns=b"", license="")), 0)
    if number == errno.ENOSYS and filtered:
        return unknown("a seccomp filter may be what answers ENOSYS", number, "3.18")
    if number == errno.ENOSYS:
        return not_available("the kernel has no bpf(2): CONFIG_BPF_SYSCALL", number, "3.18")
    # Anything else comes from bpf(2) itself, though EPERM may come from a seccomp filter too.
    yes = frozenset(
        {errno.EINVAL, errno.E2BIG, errno.EPERM} - ({errno.EPERM} if filtered else set())
    )
    return judge(number, no=frozenset(), yes=yes, since="3.18")


def probe_attach(config: KernelConfig | None, sysfs: str = "/sys") -> dict[str, Verdict]:
    """Say whether kprobes and uprobes can be attached: programs load all the same."""
    return {
        f"{name}_attach": _pmu(name, option, config, sysfs)
        for name, option in (("kprobe", "CONFIG_KPROBES"), ("uprobe", "CONFIG_UPROBES"))
    }


def _pmu(name: str, option: str, config: KernelConfig | None, sysfs: str) -> Verdict:
    if Path(sysfs, "bus/event_source/devices", name).exists():
        return available("4.17")
    if config is not None and config.get(option) is None:
        return not_available(f"{option} is not set", since="4.17")
    if Path(sysfs, "bus/event_source/devices").exists():
        return not_available(f"the kernel has no {name} events", since="4.17")
    return unknown(f"{sysfs}/bus/event_source cannot be read", since="4.17")
