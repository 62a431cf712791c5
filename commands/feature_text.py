"""A report about a kernel on one screen: what is alike stands together."""

from __future__ import annotations

from bpfctl.features.verdict import Answer, errno_name
from bpfctl.kernel.uapi import ProgType as P
from bpfctl.linux.version import parse_release

from .clean import clean
from .output import standard_output, write_text
from .render import terminal_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bpfctl.features.facts import Facts
    from bpfctl.features.report import FeatureReport
    from bpfctl.features.verdict import Verdict

    Named = Iterable[tuple[str, Verdict]]

FAMILIES: dict[str, tuple[P, ...]] = {
    "tracing": (P.TRACING, P.EXT),
    "lsm": (P.LSM,),
    "kprobe": (P.KPROBE,),
    "tracepoint": (P.TRACEPOINT, P.RAW_TRACEPOINT, P.RAW_TRACEPOINT_WRITABLE, P.PERF_EVENT),
    "network": (
        *(P.XDP, P.SCHED_CLS, P.SCHED_ACT, P.NETFILTER, P.FLOW_DISSECTOR),
        *(P.LWT_IN, P.LWT_OUT, P.LWT_XMIT, P.LWT_SEG6LOCAL),
    ),
    "socket": (P.SOCKET_FILTER, P.SK_SKB, P.SK_MSG, P.SK_REUSEPORT, P.SK_LOOKUP, P.SOCK_OPS),
    "cgroup": (
        *(P.CGROUP_SKB, P.CGROUP_SOCK, P.CGROUP_SOCK_ADDR, P.CGROUP_SOCKOPT),
        *(P.CGROUP_SYSCTL, P.CGROUP_DEVICE),
    ),
    "other": (P.SYSCALL, P.STRUCT_OPS, P.LIRC_MODE2),
}
_MANY = 12  # more names than this are counted; only those of a plain no are always listed
WIDTH = 100  # where there is no terminal to ask
_LABEL, _FAMILY = 10, 12
_ATTACH = ("kprobe_attach", "uprobe_attach")  # of `misc`; they belong to kprobe programs


def show_screen(report: FeatureReport) -> None:
    """Write a report in the order of what people look for first."""
    page = Page(report.facts.release, terminal_width() or WIDTH, separator())
    write_text("".join(f"{line}\n" for line in page.lines(report)))


def separator() -> str:
    """Return what stands between groups: a dot where standard output can show it."""
    try:
        " · ".encode(standard_output().encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return " | "
    return " · "


class Page:
    """Makes the lines, `width` columns at most, for a kernel of some release."""

    def __init__(self, release: str, width: int, between: str) -> None:
        self.version = parse_release(release)
        self.width = width
        self.between = between

    def lines(self, report: FeatureReport) -> Iterator[str]:
        """Yield all lines."""
        yield self._heading(report)
        if report.syscall.available is not True:
            yield from self.block("bpf(2)", "", self.words(report.syscall))
        label = "programs"
        for family, items in by_family(report).items():
            text = self.grouped(items)
            if family == "lsm" and report.facts.lsms is not None:
                text += self.between + _active(report.facts.lsms)
            yield from self.block(label, family, text)
            label = ""
        yield from self.block("maps", "", self.grouped(report.map_types.items()))
        yield from self.block("links", "", self.grouped(report.links.items()))
        misc = [(name, v) for name, v in report.misc.items() if name not in _ATTACH]
        yield from self.block("misc", "", self.grouped(misc))
        yield from self.block("helpers", "", self._helpers(report))
        yield from self.block("sysctl", "", self.between.join(_sysctls(report.facts)))
        yield from self.block("config", "", self.between.join(_config(report.facts)))

    def words(self, verdict: Verdict) -> str:
        """Word one verdict: "yes", "no (since Linux 7.0)", "denied (EPERM, cannot tell)"."""
        if verdict.answer is Answer.AVAILABLE:
            return "yes"
        if verdict.denied:
            return f"denied ({errno_name(verdict.errno)}, cannot tell)"
        if verdict.answer is Answer.UNKNOWN:
            return f"cannot tell ({verdict.reason})"
        return f"no ({self._why(verdict)})"

    def _why(self, verdict: Verdict) -> str:
        """Say what is most useful about a no: the version, the option, else the kernel's word.

        An option that is not set may be one that a kernel before `since` does not have.
        """
        if verdict.since and parse_release(verdict.since) > self.version:
            return f"since Linux {verdict.since}"
        if "CONFIG_" in verdict.reason:
            return verdict.reason
        return errno_name(verdict.errno) if verdict.errno else verdict.reason

    def grouped(self, items: Named) -> str:
        """Return names with what they share: "iter, tp_btf yes · fentry denied (EPERM, ...)"."""
        groups: dict[str, list[str]] = {}
        order: dict[str, int] = {}
        rank = {Answer.AVAILABLE: 0, Answer.UNKNOWN: 1, Answer.NOT_AVAILABLE: 2}
        for name, verdict in items:
            words = self.words(verdict)
            groups.setdefault(words, []).append(name)
            order[words] = rank[verdict.answer]
        total = sum(map(len, groups.values()))
        return self.between.join(
            _named(groups[words], words, total) for words in sorted(groups, key=order.__getitem__)
        )

    def _heading(self, report: FeatureReport) -> str:
        facts, btf = report.facts, report.misc["kernel_btf"].available
        parts = [
            f"kernel {facts.release} {facts.machine}",
            f"BTF {_yes(btf)}",
            f"JIT {_on(facts.jit)}",
            f"unprivileged bpf {_on(facts.unprivileged)}",
            f"lockdown {facts.lockdown or 'unknown'}",
        ]
        return self.between.join(clean(part) for part in parts)

    def _helpers(self, report: FeatureReport) -> str:
        if report.helpers is None:
            return "not asked (-j and full do, for each program type)"
        counts = [
            (len(found.names), kind.name.lower())
            for kind, found in report.helpers.items()
            if found.names
        ]
        return self.between.join(f"{name} {count}" for count, name in counts)

    def block(self, label: str, family: str, text: str) -> Iterator[str]:
        """Yield a label and text beside it, in as many lines as it takes.

        What stands between two groups stays with the first.
        """
        indent = _LABEL + (_FAMILY if label == "programs" or family else 0)
        head = f"{label:<{_LABEL}}{family:<{_FAMILY}}"[:indent]
        sign = self.between.strip()
        glued = clean(text).replace(self.between, f"\0{sign} ")
        for line in wrapped(glued, self.width - indent):
            yield head + line.replace("\0", " ")
            head = " " * indent


def by_family(report: FeatureReport) -> dict[str, list[tuple[str, Verdict]]]:
    """Sort the programs into families; whether probes can be attached stands with kprobes."""
    found: dict[str, list[tuple[str, Verdict]]] = {family: [] for family in FAMILIES}
    families = {kind: family for family, kinds in FAMILIES.items() for kind in kinds}
    for probe, verdict in report.programs:
        family = families.get(probe.prog_type, "other")
        name = probe.name.removeprefix("cgroup/") if family == "cgroup" else probe.name
        found[family].append(("load" if family == "kprobe" else name, verdict))
    found["kprobe"] += [
        (name.replace("_", " "), report.misc[name]) for name in _ATTACH if name in report.misc
    ]
    return {family: items for family, items in found.items() if items}


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield lines of at most `width` columns; a longer word has a line of its own."""
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _named(names: list[str], words: str, total: int) -> str:
    if words.startswith("no ") or len(names) <= _MANY:
        return f"{', '.join(names)} {words}"
    count = f"all {total}" if len(names) == total else f"{len(names)} of {total}"
    return f"{count} {words}"


def _active(lsms: tuple[str, ...]) -> str:
    """Say whether such programs would ever run: they load all the same."""
    return "bpf is an active LSM" if "bpf" in lsms else "bpf is no active LSM (see lsm= at boot)"


def _sysctls(facts: Facts) -> Iterator[str]:
    for name, value in facts.sysctls.items():
        yield f"{name} {'unreadable' if value is None else value}"


def _config(facts: Facts) -> Iterator[str]:
    if facts.config is None:
        yield "unknown: no file tells it"
        return
    options = facts.options()
    unset = [name.removeprefix("CONFIG_") for name, value in options.items() if value is None]
    yield f"{len(options) - len(unset)} of {len(options)} set in {facts.config.source}"
    if unset:
        yield f"not set: {', '.join(unset)}"


def _yes(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "unknown"}[value]


def _on(value: bool | None) -> str:
    return {True: "on", False: "off", None: "unknown"}[value]
