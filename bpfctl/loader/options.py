"""What a caller may wish for when an object is loaded."""

from __future__ import annotations

from bpfctl.objects.btf import KERNEL_FILE
from bpfctl.plain import field, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.attach_target import TargetWish
    from bpfctl.loader.globals import Assignment
    from bpfctl.objects.select import Selector

DEFAULT_BPFFS = "/sys/fs/bpf"


@plain
class LoadOptions:
    """Wishes for one load; the defaults load what the object's author marked for loading.

    `programs` names the programs to load, `?` sections included; None means all but those in `?`
    sections. Programs in `skip` are left out. `targets` says by program name what to attach to
    instead of what the section says; the name "" stands for all others.
    `max_entries` sets the size of maps by name, `reuse` the loaded maps to use in their place; an
    open one stays the caller's.
    `globals` are assignments to global variables, made before programs load: "limit=10", or a
    name and a value of Python ("limit", 10).
    `exclusive` names for maps the only program that may use each.
    `ifindex` is a network device: programs for it alone, maps and programs in it if `offload`.
    `log_level` is the kernel's (1 branches, 2 every insn, 4 statistics; 0: a log only
    when a load fails). `log_size` is the size of the log buffer in bytes; None: as much as the
    log needs. `log_fixed` keeps the beginning of a log that does not fit instead of its end
    (BPF_LOG_FIXED, Linux 6.4; older kernels always do). `bpffs` is the directory for maps with
    LIBBPF_PIN_BY_NAME; `mount` allows to mount a bpffs at its usual place when a pin wants to go
    there and none is mounted. `kernel_btf` is the file with the types that CO-RE sees.
    `kernel_config` is the file with the kernel's configuration; None: where distributions keep it.
    """

    programs: frozenset[str] | None = None
    skip: frozenset[str] = frozenset()
    targets: Mapping[str, TargetWish] = field(default_factory=dict)
    max_entries: Mapping[str, int] = field(default_factory=dict)
    reuse: Mapping[str, Selector | Fd] = field(default_factory=dict)
    globals: tuple[Assignment, ...] = ()
    exclusive: Mapping[str, str] = field(default_factory=dict)
    ifindex: int = 0
    offload: bool = False
    log_level: int = 0
    log_size: int | None = None
    log_fixed: bool = False
    bpffs: str = DEFAULT_BPFFS
    mount: bool = False
    kernel_btf: str = KERNEL_FILE
    kernel_config: str | None = None
