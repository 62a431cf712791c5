"""What a section name means: the words of the table in `section_table`."""

from __future__ import annotations

from bpfctl.plain_enum import Enum
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.kernel.uapi import AttachType, ProgType


class AttachKind(Enum):
    """How a program gets to run: which call, on which kind of target."""

    NONE = "none"  # nothing attaches it: it is run on demand, or put into a map
    SOCKET = "socket"  # setsockopt on a socket
    KPROBE = "kprobe"
    KSYSCALL = "ksyscall"  # a kprobe on a system call, whatever its symbol is here
    KPROBE_MULTI = "kprobe_multi"
    UPROBE = "uprobe"
    UPROBE_MULTI = "uprobe_multi"
    USDT = "usdt"
    PERF_EVENT = "perf_event"
    TRACEPOINT = "tracepoint"  # a perf event of a trace event
    RAW_TRACEPOINT = "raw_tracepoint"
    TRACING = "tracing"  # the kernel knows the target since load: tp_btf, fentry, fexit, fmod_ret
    TRACING_MULTI = "tracing_multi"
    EXT = "ext"  # replaces a function of a loaded program
    LSM = "lsm"
    LSM_CGROUP = "lsm_cgroup"
    ITER = "iter"
    XDP = "xdp"
    TC = "tc"  # a classifier or action of a qdisc, by netlink
    TCX = "tcx"
    NETKIT = "netkit"
    NETFILTER = "netfilter"
    LWT = "lwt"  # a route, by netlink
    CGROUP = "cgroup"
    SOCKMAP = "sockmap"  # a sockmap or sockhash
    NETNS = "netns"
    LIRC = "lirc"
    STRUCT_OPS = "struct_ops"


class Follow(Enum):
    """What may stand behind the name, after a slash."""

    NOTHING = "nothing"
    LABEL = "label"  # optional words that mean nothing to the kernel
    TARGET = "target"  # optional: without it nothing says what to attach to
    REQUIRED_TARGET = "required target"


class Grammar(Enum):
    """The form of a target; the value is how it is shown to people."""

    NONE = ""
    LABEL = "LABEL"
    FUNCTION = "FUNCTION[+OFFSET]"
    RETURN = "FUNCTION"
    PATTERN = "PATTERN"
    SYSCALL = "SYSCALL"
    BINARY_FUNCTION = "BINARY:FUNCTION[+OFFSET]"
    BINARY_PATTERN = "BINARY:PATTERN"
    BINARY_PROBE = "BINARY:PROVIDER:NAME"
    TRACEPOINT = "CATEGORY/NAME"
    RAW_TRACEPOINT = "TRACEPOINT"
    BTF_FUNCTION = "[MODULE:]FUNCTION"
    BTF_PATTERN = "[MODULE:]PATTERN"
    HOOK = "HOOK"
    ITERATOR = "ITERATOR"
    MEMBER = "NAME"


class SectionDef(NamedTuple):
    """One name: what the kernel is told, how the program attaches, and since which kernel.

    `attach_type` is None where the kernel wants 0. `btf_target` says that the load itself needs
    the BTF id of the target. `modern` names what to write instead of a legacy name.
    """

    name: str
    prog_type: ProgType
    attach_type: AttachType | None
    kind: AttachKind
    since: str
    follow: Follow = Follow.NOTHING
    grammar: Grammar = Grammar.NONE
    sleepable: bool = False
    btf_target: bool = False
    frags: bool = False
    modern: tuple[str, ...] = ()

    @property
    def form(self) -> str:
        """The name with what may follow it ("tracepoint[/CATEGORY/NAME]")."""
        if self.follow is Follow.NOTHING:
            return self.name
        tail = f"/{self.grammar.value}"
        return self.name + (tail if self.follow is Follow.REQUIRED_TARGET else f"[{tail}]")
