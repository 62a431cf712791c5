"""Which helper functions programs of each type may call.

A program that calls the helper with no arguments set up is offered to the verifier. The call is
nearly always rejected; what matters is whether for the lack of the helper or for the arguments.
"""

from __future__ import annotations

import errno

from bpfctl.elf.sections import AttachKind
from bpfctl.features.prober import CALL
from bpfctl.features.programs import program_probes, target_names
from bpfctl.features.verdict import Answer, available, unknown
from bpfctl.kernel.uapi_helpers import HelperId
from bpfctl.plain import field, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpfctl.features.prober import Prober
    from bpfctl.features.programs import ProgramProbe
    from bpfctl.features.verdict import Verdict
    from bpfctl.kernel.attr import Buffer
    from bpfctl.kernel.uapi import ProgType

# Words of the verifier for a helper that this program may not call, or that does not exist
# (check_helper_call in kernel/bpf/verifier.c): "unknown func" until Linux 6.9, "program of this
# type cannot use helper" since 6.10, "supported only for fentry/fexit/fmod_ret" of bpf_get_func_*.
_REFUSALS = (b"unknown func", b"invalid func", b"cannot use helper", b"supported only for")

# The type may call it, but not in every function it can be attached to (bpf_d_path): an answer for
# types without such a target, among them SYSCALL (bpf_d_path_allowed in kernel/trace/bpf_trace.c).
_DEPENDS = b"is not allowed in probe"

# Loading a program that calls these makes the kernel warn in its own log, for everybody to see
# (bpf_get_probe_write_proto and __set_printk_clr_event in kernel/trace/bpf_trace.c, Linux 6.18).
NOISY = frozenset({HelperId.trace_printk, HelperId.trace_vprintk, HelperId.probe_write_user})

# Which helpers there are depends on the program that is replaced, or on the struct.
_DEPEND_ON_TARGET = frozenset({AttachKind.EXT, AttachKind.STRUCT_OPS})

# Combinations that stand for their type although others come first: libbpf's choice, too.
_ASKED_AS = frozenset({"xdp", "cgroup/connect4"})


@plain
class HelperSet:
    """The helpers of one program type, asked with programs of one combination (`probe`).

    `verdict` says whether they could be told at all; where it is no or unknown, `answers` is
    empty, and otherwise it has every helper that was asked about, by name.
    """

    probe: ProgramProbe
    verdict: Verdict
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The helpers that can be called."""
        return [name for name, given in self.answers.items() if given is Answer.AVAILABLE]

    @property
    def unsure(self) -> list[str]:
        """The helpers that could not be told."""
        return [name for name, given in self.answers.items() if given is Answer.UNKNOWN]


def helper_name(helper: HelperId) -> str:
    """Return the name in C ("bpf_map_lookup_elem")."""
    return f"bpf_{helper.name.lower()}"


def probe_all_helpers(
    prober: Prober, programs: Iterable[tuple[ProgramProbe, Verdict]], *, noisy: bool = False
) -> dict[ProgType, HelperSet]:
    """Ask about all helpers, once for each program type.

    The first combination that loads stands for its type. Helpers that make the kernel warn are
    asked about only where `noisy`.
    """
    best: dict[ProgType, tuple[ProgramProbe, Verdict]] = {}
    for probe, verdict in sorted(programs, key=lambda item: item[0].name not in _ASKED_AS):
        if probe.prog_type not in best or _better(verdict, best[probe.prog_type][1]):
            best[probe.prog_type] = (probe, verdict)
    skipped = frozenset() if noisy else NOISY
    return {kind: _probe_type(prober, *asked, skipped) for kind, asked in best.items()}


def _better(verdict: Verdict, other: Verdict) -> bool:
    """Prefer what loads to what may load, and that to what does not."""
    rank = {True: 2, None: 1, False: 0}
    return rank[verdict.available] > rank[other.available]


def _probe_type(
    prober: Prober, probe: ProgramProbe, verdict: Verdict, skipped: frozenset[HelperId]
) -> HelperSet:
    if not verdict.available:
        return HelperSet(probe, verdict)
    if probe.kind in _DEPEND_ON_TARGET:
        return HelperSet(probe, unknown("they depend on what the program is attached to"))
    return HelperSet(probe, available(), probe_helpers(prober, probe, skipped))


def probe_helpers(
    prober: Prober, probe: ProgramProbe, skipped: frozenset[HelperId] = frozenset()
) -> dict[str, Answer]:
    """Return an answer for each helper, by name, for programs of one combination.

    Without privileges the verifier hides helpers that exist: then its "no" is no answer.
    """
    code = bytearray(CALL)
    request = prober.request(
        probe.prog_type,
        code,
        attach_type=probe.attach_type,
        btf_id=prober.target_id(target_names(probe)),
        flags=probe.flags,
    )
    targeted = bool(target_names(probe))
    answers = {
        helper_name(helper): judge_call(
            *prober.offer_call(request, code, helper), targeted=targeted
        )
        for helper in HelperId
        if helper and helper not in skipped
    }
    if prober.privileged:
        return answers
    hidden = {Answer.NOT_AVAILABLE: Answer.UNKNOWN}
    return {name: hidden.get(answer, answer) for name, answer in answers.items()}


def types_with_helper(prober: Prober, helper: int) -> list[str]:
    """Section names that stand for the program types that may call a helper; none when unsure.

    Helpers that make the kernel warn are not asked about.
    """
    if helper in NOISY:
        return []
    code = bytearray(CALL)
    code[4:8] = helper.to_bytes(4, "little")

    def may(probe: ProgramProbe) -> bool:
        answer = judge_call(*offer(prober, probe, code), targeted=bool(target_names(probe)))
        return answer is Answer.AVAILABLE

    return [probe.name for probe in one_of_each_type() if may(probe)]


def one_of_each_type() -> list[ProgramProbe]:
    """The combination that stands for each program type whose helpers can be asked about."""
    found: dict[ProgType, ProgramProbe] = {}
    for probe in sorted(program_probes(), key=lambda one: one.name not in _ASKED_AS):
        if probe.kind not in _DEPEND_ON_TARGET:
            found.setdefault(probe.prog_type, probe)
    return list(found.values())


def offer(prober: Prober, probe: ProgramProbe, code: Buffer) -> tuple[int, bytes]:
    """Offer code as a program of one combination; give the errno and the log."""
    return prober.ask(
        prober.request(
            probe.prog_type,
            code,
            attach_type=probe.attach_type,
            btf_id=prober.target_id(target_names(probe)),
            flags=probe.flags,
        )
    )


def judge_call(number: int, log: bytes, *, targeted: bool) -> Answer:
    """Turn errno (0 for success) and verifier log of one offered call into an answer.

    `targeted` says that programs of the type name a function, which may decide.
    """
    if number == 0:
        return Answer.AVAILABLE
    if any(words in log for words in _REFUSALS) or (_DEPENDS in log and not targeted):
        return Answer.NOT_AVAILABLE
    if not log or number == errno.EPERM or _DEPENDS in log:
        return Answer.UNKNOWN
    return Answer.AVAILABLE
