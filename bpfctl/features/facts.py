"""What this kernel says of itself, without being probed: version, settings, configuration."""

from __future__ import annotations

import os

from bpfctl.features.options import BPFTOOL_OPTIONS, OUR_OPTIONS
from bpfctl.linux.kconfig import KernelConfig, kernel_config
from bpfctl.linux.security import active_lsms, lockdown_mode, seccomp_filtered
from bpfctl.linux.sysctl import BPF_SYSCTLS, read_sysctl
from bpfctl.plain import plain


@plain
class Facts:
    """The running kernel. None stands for what could not be read.

    `sysctls` are by the last part of their path ("bpf_jit_enable"). `seccomp` says that a filter
    decides which system calls this process may make.
    """

    release: str
    machine: str
    lockdown: str | None
    lsms: tuple[str, ...] | None
    sysctls: dict[str, int | None]
    config: KernelConfig | None
    seccomp: bool | None = None

    @property
    def jit(self) -> bool | None:
        """Whether programs are compiled to machine code."""
        value = self.sysctls["bpf_jit_enable"]
        if value is None and self.option("CONFIG_BPF_JIT_ALWAYS_ON") == "y":
            return True
        return None if value is None else value != 0

    @property
    def unprivileged(self) -> bool | None:
        """Whether bpf(2) is open to users without capabilities.

        Source: kernel.unprivileged_bpf_disabled, Documentation/admin-guide/sysctl/kernel.rst.
        """
        value = self.sysctls["unprivileged_bpf_disabled"]
        return None if value is None else value == 0

    def option(self, name: str) -> str | None:
        """Return an option's value; None where it is not set or nothing tells (see `config`)."""
        return None if self.config is None else self.config.get(name)

    def options(self) -> dict[str, str | None]:
        """Return the options that matter to BPF, bpftool's first."""
        return {name: self.option(name) for name in (*BPFTOOL_OPTIONS, *OUR_OPTIONS)}

    def system_config(self) -> dict[str, int | str | None]:
        """Return settings and options as bpftool's JSON has them under this key."""
        return {**self.sysctls, **self.options()}

    def to_json(self) -> dict[str, object]:
        """Return what bpftool does not show."""
        return {
            "release": self.release,
            "machine": self.machine,
            "jit": self.jit,
            "unprivileged_bpf": self.unprivileged,
            "lockdown": self.lockdown,
            "lsms": None if self.lsms is None else list(self.lsms),
            "config_source": None if self.config is None else self.config.source,
        }


def read_facts() -> Facts:
    """Read what /proc and /sys say."""
    system, lsms = os.uname(), active_lsms()
    return Facts(
        release=system.release,
        machine=system.machine,
        lockdown=lockdown_mode(),
        lsms=None if lsms is None else tuple(lsms),
        sysctls={name: read_sysctl(path) for name, path in BPF_SYSCTLS.items()},
        config=kernel_config(),
        seccomp=seccomp_filtered(),
    )
