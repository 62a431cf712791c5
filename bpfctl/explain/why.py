"""Why a program does not run: not attached, attached where nothing can happen, or never hit."""

from __future__ import annotations

from bpfctl.errors import SyscallError
from bpfctl.explain.why_places import obstacle
from bpfctl.kernel.uapi import LinkType, ProgType
from bpfctl.objects.attachments import attachments
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.prog import prog_info
from bpfctl.objects.run_counts import count_runs
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

    from bpfctl.explain.explanation import Explanation
    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attachments_types import Attachment, Attachments
    from bpfctl.objects.prog import ProgInfo
    from bpfctl.objects.run_counts import RunCounts

_COUNT_TELLS_NOTHING: Final = "runs of such a program are counted for the one it is called from"


@plain
class Why:
    """The answer about one program.

    `places` are all attachments that were found, each with what keeps it from running there, None
    where nothing was seen. `counts` is None where runs were not counted.
    """

    prog: ProgInfo
    code: str
    headline: str
    places: tuple[tuple[Attachment, Explanation | None], ...]
    evidence: tuple[str, ...]
    candidates: tuple[str, ...] = ()
    remedy: str | None = None
    counts: RunCounts | None = None

    def to_json(self) -> dict[str, Any]:
        """Return all fields; those without a value too."""
        return {
            "id": self.prog.id,
            "name": self.prog.name,
            "type": self.prog.type_name,
            "code": self.code,
            "message": self.headline,
            "attachments": [
                place.to_json() | {"problem": _problem(reason)} for place, reason in self.places
            ],
            "counted": None if self.counts is None else self.counts.to_json(),
            "evidence": list(self.evidence),
            "candidates": list(self.candidates),
            "remedy": self.remedy,
        }


_PASSED: Final = frozenset({"tc", "tc_action", "tcx", "netkit"})


def why(prog_fd: Fd, seconds: float = 1.0) -> Why:
    """Say why a program does not run, or that it does.

    Its runs are counted for some seconds; 0 leaves that out. Nothing but counters is touched.
    Raises: SyscallError (EPERM without CAP_SYS_ADMIN: what is attached is looked up by ids).
    """
    prog = prog_info(prog_fd)
    seen = attachments(prog)
    if not seen.found:
        return _not_attached(prog, seen)
    places = tuple((one, obstacle(prog, one)) for one in seen.found)
    counts, refusal = _counted(prog_fd, seconds)
    if counts is not None and counts.runs:
        return _runs(prog, places, counts)
    blocked = [reason for _, reason in places if reason is not None]
    if len(blocked) == len(places):
        return _blocked(prog, places, blocked, counts)
    return _not_hit(prog, places, counts, refusal)


def _problem(reason: Explanation | None) -> dict[str, Any] | None:
    if reason is None:
        return None
    return {
        "code": reason.code,
        "message": reason.headline,
        "evidence": list(reason.evidence),
        "remedy": reason.remedy,
    }


def _counted(prog_fd: Fd, seconds: float) -> tuple[RunCounts | None, str]:
    if not seconds:
        return None, "runs were not counted"
    try:
        return count_runs(prog_fd, seconds), ""
    except SyscallError as err:
        return None, f"runs cannot be counted here: {err.errno_name}"


def _not_attached(prog: ProgInfo, seen: Attachments) -> Why:
    evidence = ("no link runs it", *_keepers(prog))
    if prog.type == ProgType.SYSCALL:
        headline = "loaded; programs of its type are attached nowhere: they run on demand"
        remedy = "run it with BPF_PROG_TEST_RUN"
        return Why(prog, "runs-on-demand", headline, (), evidence, remedy=remedy)
    remedy = f"attach it: bpfctl link create id {prog.id} ... --pin PATH, or load with --attach"
    if not seen.unseen:
        headline = "loaded, and not attached: nothing runs it"
        return Why(prog, "not-attached", headline, (), evidence, remedy=remedy)
    headline = "loaded, and not attached as far as can be seen"
    return Why(prog, "no-attachment-seen", headline, (), evidence, seen.unseen, remedy)


def _keepers(prog: ProgInfo) -> list[str]:
    """Say what keeps a program that nothing runs."""
    from bpfctl.objects.holders import holders
    from bpfctl.objects.pin import pins

    key = (ObjectKind.PROG, prog.id)
    held = [f"held by {one}" for one in holders({key}).by.get(key, ())]
    return [*(f"pinned at {path}" for path in pins().get(key, ())), *held]


def _runs(
    prog: ProgInfo, places: Sequence[tuple[Attachment, Explanation | None]], counts: RunCounts
) -> Why:
    times = "once" if counts.runs == 1 else f"{counts.runs} times"
    headline = f"it runs: {times} in {counts.seconds:g} s"
    return Why(prog, "program-runs", headline, tuple(places), _where(places), counts=counts)


def _where(places: Sequence[tuple[Attachment, Explanation | None]]) -> tuple[str, ...]:
    """Name each place, with what was found out about it."""
    return tuple(
        f"{_label(place)}{f': {reason.headline}' if reason else ''}" for place, reason in places
    )


def _label(place: Attachment) -> str:
    head = f"link {place.link.id}" if place.link else place.kind.replace("_", " ")
    return f"{head}, {place.words}"


def _blocked(
    prog: ProgInfo,
    places: Sequence[tuple[Attachment, Explanation | None]],
    blocked: Sequence[Explanation],
    counts: RunCounts | None,
) -> Why:
    """Nothing can happen at any of the places."""
    first = blocked[0]
    kinds = {reason.code for reason in blocked}
    headline = "attached, and does not run: " + (
        first.headline if len(kinds) == 1 else "nothing can happen at any place"
    )
    evidence = [*_where(places), *(line for one in blocked for line in one.evidence)]
    remedy = "; ".join(dict.fromkeys(one.remedy for one in blocked if one.remedy)) or None
    return Why(
        prog, first.code, headline, tuple(places), _once(evidence), remedy=remedy, counts=counts
    )


def _once(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))


def _not_hit(
    prog: ProgInfo,
    places: Sequence[tuple[Attachment, Explanation | None]],
    counts: RunCounts | None,
    refusal: str,
) -> Why:
    evidence = _where(places)
    free = [place for place, reason in places if reason is None]
    if prog.type == ProgType.EXT or all(place.kind == "map" for place in free):
        headline = "attached; whether it runs cannot be told"
        evidence = (*evidence, _COUNT_TELLS_NOTHING)
        return Why(prog, "runs-uncounted", headline, tuple(places), evidence, counts=counts)
    if counts is None:
        headline = "attached; whether it runs cannot be told"
        remedy = "run as root, with --for 1"
        candidates = tuple(_hint(place) for place in free)
        lines = (*evidence, refusal)
        return Why(prog, "runs-uncounted", headline, tuple(places), lines, candidates, remedy)
    earlier = (
        f"runs that were counted earlier: {counts.before}"
        if counts.before
        else (
            "none was counted earlier either, which says nothing: runs count only while asked for"
        )
    )
    headline = f"attached, and not hit: no run in the {counts.seconds:g} s it was counted"
    candidates = tuple(dict.fromkeys(_hint(place) for place in free))
    remedy = "make it happen while counting: bpfctl why --for 10"
    missed = f"left out {counts.misses} times: it was running already on that CPU"
    lines = (*evidence, *((missed,) if counts.misses else ()), earlier)
    return Why(prog, "program-not-hit", headline, tuple(places), lines, candidates, remedy, counts)


def _hint(place: Attachment) -> str:
    """Say what has to happen for a program to run at a place."""
    if place.link is not None and place.link.type == LinkType.ITER:
        return "nobody reads the iterator (check: cat its pin)"
    what = "no packet passes" if place.kind in _PASSED else ""
    what = "no packet arrives" if place.kind == "xdp" else what
    if place.link is not None and place.link.type in (LinkType.XDP, LinkType.TCX):
        what = "no packet arrives"
    return f"{what or 'what it waits for does not happen'} ({place.words})"
