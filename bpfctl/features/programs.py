"""Which program types the kernel loads, one by one for each attach type.

The table of section names says which combinations there are; a program that returns at once is
loaded as each of them.
"""

from __future__ import annotations

import errno

from bpfctl.elf.sections import AttachKind, definitions
from bpfctl.errors import ENOTSUPP
from bpfctl.features.verdict import available, errno_name, not_available, unknown
from bpfctl.kernel.flags import ProgFlags
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.sections import SectionDef
    from bpfctl.features.prober import Prober
    from bpfctl.features.verdict import Verdict

# What a program is loaded against where the kernel wants a target: the first that its BTF has.
_FUNCTIONS = ("bpf_fentry_test1", "vfs_read", "do_nanosleep")
TARGETS: dict[AttachType, tuple[str, ...]] = {
    AttachType.TRACE_RAW_TP: ("btf_trace_sched_process_exec", "btf_trace_sched_switch"),
    AttachType.TRACE_FENTRY: _FUNCTIONS,
    AttachType.TRACE_FEXIT: _FUNCTIONS,
    AttachType.TRACE_FSESSION: _FUNCTIONS,
    AttachType.MODIFY_RETURN: ("bpf_modify_return_test", "security_file_open"),
    AttachType.TRACE_ITER: ("bpf_iter_task", "bpf_iter_bpf_map"),
    AttachType.LSM_MAC: ("bpf_lsm_file_open",),
    AttachType.LSM_CGROUP: ("bpf_lsm_socket_create",),
}

# Attach types that the kernel ignores when the program is loaded; `links` asks about them.
_TOLD_BY_LINKS = frozenset(
    {AttachKind.KPROBE_MULTI, AttachKind.UPROBE_MULTI, AttachKind.TCX, AttachKind.NETKIT}
)

# Combinations that are older than the attach type they got later (5.9 and 5.14): kernels before
# took any.
_OLDER_THAN_ATTACH_TYPE = frozenset({"xdp", "sk_reuseport"})

# Hooks whose programs must return 1 (check_return_code in kernel/bpf/verifier.c, Linux 6.18).
_RETURNS_ONE = ("recvmsg", "getpeername", "getsockname")


@plain
class ProgramProbe:
    """One combination of program type and attach type, named by the section that stands for it."""

    name: str
    prog_type: ProgType
    attach_type: AttachType | None
    kind: AttachKind
    since: str

    @property
    def returns(self) -> int:
        """What the smallest program has to return for the verifier to take it."""
        return int(any(word in self.name for word in _RETURNS_ONE))

    @property
    def flags(self) -> int:
        """The flags of the load: programs that run on demand must be allowed to sleep."""
        return ProgFlags.SLEEPABLE if self.prog_type is ProgType.SYSCALL else 0


def program_probes() -> list[ProgramProbe]:
    """List each combination once, in the order of the table of section names.

    A legacy name stands for its combination only where no other does ("action").
    """
    probes: dict[tuple[ProgType, AttachType | None], ProgramProbe] = {}
    for row in sorted(definitions(), key=lambda row: bool(row.modern)):
        if _stands_for_a_combination(row):
            key = (row.prog_type, row.attach_type)
            probes.setdefault(key, ProgramProbe(row.name, *key, row.kind, row.since))
    return list(probes.values())


def _stands_for_a_combination(row: SectionDef) -> bool:
    """Leave out variants (sleepable, fragments, our own `user`) and what a load cannot tell."""
    sleepable = row.name.endswith(".s")
    return not (sleepable or row.frags or row.name == "user" or row.kind in _TOLD_BY_LINKS)


def probe_program(prober: Prober, probe: ProgramProbe) -> Verdict:
    """Say whether the kernel loads programs of one combination."""
    if probe.kind is AttachKind.EXT:
        return _probe_by_message(prober, probe, "Cannot replace kernel functions")
    if probe.kind is AttachKind.STRUCT_OPS:
        return _probe_struct_ops(prober, probe)
    wanted = target_names(probe)
    target = prober.target_id(wanted)
    if wanted and not target:
        if prober.kernel_btf is None:
            reason = "no type information of this kernel: a target cannot be named"
            return unknown(reason, since=probe.since)
        names = " or ".join(wanted)
        return unknown(f"its type information has no {names} to ask with", since=probe.since)
    number, log = prober.load(
        probe.prog_type,
        returns=probe.returns,
        attach_type=probe.attach_type,
        btf_id=target,
        flags=probe.flags,
    )
    # Programs for many functions name none; a kernel that does not know them asks for one.
    multi = probe.kind is AttachKind.TRACING_MULTI
    verdict = _judge_load(number, "" if multi else log, probe.since)
    return verdict if not verdict.available else _with_attach_type(prober, probe)


def _with_attach_type(prober: Prober, probe: ProgramProbe) -> Verdict:
    """Doubt a load: some program types are loaded whatever the attach type is.

    Linux 5.10 takes SK_REUSEPORT_SELECT_OR_MIGRATE of 5.14, and no kernel looks at that of SK_SKB.
    The kernel's own list of attach types has the last word; without one the load stands.
    """
    known = prober.attach_types
    name = f"BPF_{probe.attach_type.name}" if probe.attach_type is not None else ""
    if not name or known is None or name in known or probe.name in _OLDER_THAN_ATTACH_TYPE:
        return available(probe.since)
    return not_available(f"its list of attach types has no {name}", since=probe.since)


def target_names(probe: ProgramProbe) -> tuple[str, ...]:
    """Return the functions or tracepoints a probe can be loaded against; none for most."""
    if probe.attach_type is None or probe.prog_type not in (ProgType.TRACING, ProgType.LSM):
        return ()
    return TARGETS.get(probe.attach_type, ())


def _judge_load(number: int, log: str, since: str) -> Verdict:
    """A complaint in the log is the verifier's: then the kernel knows the combination."""
    if number == 0 or (_complains(log) and number not in (errno.EPERM, ENOTSUPP)):
        return available(since)
    reason = f"the kernel answers {errno_name(number)}"
    if number in (errno.EINVAL, errno.E2BIG, errno.EOPNOTSUPP, ENOTSUPP):
        return not_available(reason, number, since)
    if number == errno.EPERM and not log:
        reason += " before verification"
    return unknown(reason, number, since)


def _complains(log: str) -> bool:
    """Say whether there is more in a log than the statistics at its end.

    An attach type that the kernel does not know makes it stop without a word.
    """
    return any(line and not line.startswith("processed ") for line in log.split("\n"))


def _probe_by_message(prober: Prober, probe: ProgramProbe, words: str) -> Verdict:
    """Load against a target that is none: a kernel that knows the type says so in the log."""
    number, log = prober.load(probe.prog_type, attach_type=probe.attach_type, btf_id=1)
    if words in log:
        return available(probe.since)
    return _judge_load(number, "", probe.since)


def _probe_struct_ops(prober: Prober, probe: ProgramProbe) -> Verdict:
    """Type 1 of the kernel's BTF is no struct_ops: ENOTSUPP says that struct_ops are known."""
    number, _ = prober.load(probe.prog_type, attach_type=probe.attach_type, btf_id=1)
    if number == ENOTSUPP:
        return available(probe.since)
    return _judge_load(number, "", probe.since)


def by_program_type(
    verdicts: list[tuple[ProgramProbe, Verdict]],
) -> dict[ProgType, Verdict]:
    """Sum up: a type is available when one combination is, and lacking when all are."""
    grouped: dict[ProgType, list[Verdict]] = {}
    for probe, verdict in verdicts:
        grouped.setdefault(probe.prog_type, []).append(verdict)
    rank = {True: 0, None: 1, False: 2}
    return {kind: min(found, key=lambda v: rank[v.available]) for kind, found in grouped.items()}
