"""What `doctor` looks at: the kernel, this process's rights, and what is mounted. Read once."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from bpfctl.btf.types import Enum, Kind
from bpfctl.features.facts import read_facts
from bpfctl.features.misc import probe_attach, probe_syscall
from bpfctl.features.prober import VMLINUX, Prober
from bpfctl.features.programs import probe_program, program_probes
from bpfctl.linux.caps import (
    effective_mask,
    in_initial_user_namespace,
    missing_capabilities,
)
from bpfctl.linux.kallsyms import addresses_hidden
from bpfctl.linux.mounts import mounts
from bpfctl.linux.security import perf_event_paranoid
from bpfctl.linux.sysctl import read_sysctl
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.features.facts import Facts
    from bpfctl.features.verdict import Verdict
    from bpfctl.linux.mounts import Mount

# The programs whose load tells something about the machine, by section.
PROGRAMS = ("socket", "kprobe", "tp_btf", "iter", "fentry", "lsm")


@plain
class Modules:
    """How many modules are loaded, and how many of them have type information."""

    loaded: int
    typed: int


@plain
class Machine:
    """Everything that the checks of `doctor` decide by. None is what could not be read.

    `missing` are the capabilities this process lacks ("CAP_BPF"), `ftrace` is the setting
    kernel.ftrace_enabled. `btf_error` says why the kernel's
    types cannot be read, "" when they can; `btf_types` counts them, `btf_unknown` those of kinds
    that are newer than bpfctl, by kind. `memlock_counts` says whether the kernel charges maps to
    RLIMIT_MEMLOCK. `writable` are mount points we may write to.
    """

    facts: Facts
    missing: tuple[str, ...] | None
    first_userns: bool | None
    paranoid: int | None
    ftrace: int | None
    symbols_hidden: bool
    mounts: tuple[Mount, ...]
    writable: frozenset[str]
    syscall: Verdict
    programs: dict[str, Verdict]
    attach: dict[str, Verdict]
    btf_error: str
    btf_types: int
    btf_unknown: dict[int, int]
    modules: Modules | None
    knows_tokens: bool | None
    memlock_counts: bool | None

    @property
    def is_privileged(self) -> bool:
        """Whether a refusal cannot be for lack of rights."""
        needed = {"CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN"}
        lacking = needed & set(self.missing or ()) if self.missing is not None else needed
        return not lacking and self.first_userns is not False

    def lacks(self, capability: str) -> bool:
        """Say whether a capability ("CAP_BPF") is missing for what concerns the whole machine.

        Those of another user namespace do not count (`capable`, kernel/capability.c).
        """
        return self.first_userns is False or capability in (self.missing or ())

    def mounted(self, kind: str) -> list[Mount]:
        """Return the mounts of one kind of file system."""
        return [mount for mount in self.mounts if mount.kind == kind]


def read_machine(vmlinux: str = VMLINUX) -> Machine:
    """Look at the running machine. What cannot be read is None; nothing is raised."""
    from bpfctl.features.memlock import memlock_counts

    facts, found = read_facts(), mounts()
    syscall = probe_syscall(filtered=facts.seccomp)
    with Prober(vmlinux) as prober:
        asked = {one.name: one for one in program_probes()}
        programs = {name: probe_program(prober, asked[name]) for name in PROGRAMS}
        btf = prober.kernel_btf
        types, tokens = (len(btf), _knows_tokens(prober)) if btf else (0, None)
    return Machine(
        facts=facts,
        missing=None if effective_mask() is None else tuple(missing_capabilities()),
        first_userns=in_initial_user_namespace(),
        paranoid=perf_event_paranoid(),
        ftrace=read_sysctl("kernel/ftrace_enabled"),
        symbols_hidden=addresses_hidden(),
        mounts=tuple(found),
        writable=frozenset(one.point for one in found if os.access(one.point, os.W_OK)),
        syscall=syscall,
        programs=programs,
        attach=probe_attach(facts.config),
        btf_error="" if btf else btf_trouble(vmlinux),
        btf_types=types,
        btf_unknown=btf.unknown_kinds() if btf else {},
        modules=count_modules(),
        knows_tokens=tokens,
        memlock_counts=memlock_counts(),
    )


def btf_trouble(path: str) -> str:
    """Say why type information cannot be read."""
    from bpfctl.btf.decode import Btf
    from bpfctl.errors import BtfError

    try:
        Btf.parse(Path(path).read_bytes(), path=path)
    except FileNotFoundError:
        return "there is none"
    except OSError as err:
        return (err.strerror or str(err)).lower()
    except BtfError as err:
        return err.message
    return ""


def count_modules(sys_btf: str = "/sys/kernel/btf", proc: str = "/proc/modules") -> Modules | None:
    """Count the loaded modules and those with types; a kernel without modules has none loaded."""
    loaded: set[str] = set()
    try:
        loaded = {line.split()[0] for line in Path(proc).read_text().splitlines() if line}
    except FileNotFoundError:
        if not Path(proc).parent.joinpath("self").exists():
            return None
    except OSError:
        return None
    typed: set[str] = set()
    with suppress(OSError):
        typed = {one.name for one in Path(sys_btf).iterdir()}
    return Modules(len(loaded), len(loaded & typed))


def _knows_tokens(prober: Prober) -> bool | None:
    """Say whether the kernel's own list of commands has BPF_TOKEN_CREATE (Linux 6.9)."""
    btf = prober.kernel_btf
    found = btf.find("bpf_cmd", Kind.ENUM) if btf else None
    commands = btf.type(found) if btf and found else None
    if not isinstance(commands, Enum):
        return None
    return any(one.name == "BPF_TOKEN_CREATE" for one in commands.values)
