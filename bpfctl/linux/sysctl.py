"""Settings of the kernel below /proc/sys."""

from __future__ import annotations

from pathlib import Path

# What `feature probe` reports, by bpftool's JSON key.
BPF_SYSCTLS = {
    "unprivileged_bpf_disabled": "kernel/unprivileged_bpf_disabled",
    "bpf_jit_enable": "net/core/bpf_jit_enable",
    "bpf_jit_harden": "net/core/bpf_jit_harden",
    "bpf_jit_kallsyms": "net/core/bpf_jit_kallsyms",
    "bpf_jit_limit": "net/core/bpf_jit_limit",
}


def read_sysctl(name: str, root: str = "/proc/sys") -> int | None:
    """Return a whole-number setting by its path ("net/core/bpf_jit_enable"); None if unreadable."""
    try:
        return int((Path(root) / name).read_text())
    except (OSError, ValueError):
        return None
