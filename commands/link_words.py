"""The words after `link create PROG`: what to attach to."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.objects import attach_targets as targets

from .link_forms import FORMS
from .link_iter_words import parse_iter
from .link_net_words import NET_PARSERS, XDP_MODES
from .link_probe_words import PROBE_PARSERS
from .link_values import COOKIE, pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack

    from bpfctl.objects.prog import ProgInfo

    Parser = Callable[[list[str], ExitStack], targets.Target]

# What programs of a type are attached to when nothing says so: the word to begin with.
_USUAL = {
    ProgType.RAW_TRACEPOINT: "raw_tracepoint",
    ProgType.RAW_TRACEPOINT_WRITABLE: "raw_tracepoint",
    ProgType.TRACEPOINT: "tracepoint",
    ProgType.KPROBE: "kprobe",
    ProgType.PERF_EVENT: "perf_event",
    ProgType.XDP: "xdp",
    ProgType.SCHED_CLS: "tcx",
    ProgType.NETFILTER: "netfilter",
    ProgType.SK_LOOKUP: "netns",
    ProgType.FLOW_DISSECTOR: "netns",
    ProgType.SK_MSG: "sockmap",
    ProgType.SK_SKB: "sockmap",
    ProgType.CGROUP_SKB: "cgroup",
    ProgType.CGROUP_SOCK: "cgroup",
    ProgType.CGROUP_SOCK_ADDR: "cgroup",
    ProgType.CGROUP_DEVICE: "cgroup",
    ProgType.CGROUP_SYSCTL: "cgroup",
    ProgType.CGROUP_SOCKOPT: "cgroup",
    ProgType.SOCK_OPS: "cgroup",
}
_KNOWS_ITS_TARGET = frozenset({ProgType.TRACING, ProgType.LSM, ProgType.EXT})


def parse_target(words: Sequence[str], prog: ProgInfo, stack: ExitStack) -> targets.Target:
    """Return what the words mean; maps they name are opened, and closed by `stack`.

    Raises: UsageError, and NotFoundError for a map.
    """
    if not words:
        return _loaded_for(prog)
    first, *rest = words
    parser = _PARSERS.get(first)
    if parser is None:
        from .suggest import nearest

        near = nearest(first, list(_PARSERS))
        raise UsageError(
            f'"{first}" is nothing to attach to',
            remedy=f'did you mean "{near}"?' if near else _expected(),
        )
    return parser([first, *rest] if first in XDP_MODES else rest, stack)


def _expected() -> str:
    words = ", ".join(dict.fromkeys(form.partition(" ")[0] for form in FORMS.values()))
    return f"one of {words}; or nothing for tp_btf, fentry and their like"


def _loaded_for(prog: ProgInfo) -> targets.Target:
    if prog.type in _KNOWS_ITS_TARGET:
        return targets.Loaded()
    usual = _USUAL.get(prog.type) if isinstance(prog.type, ProgType) else None
    raise UsageError(
        f"a program of type {prog.type_name} does not say what to attach it to",
        code="no-target",
        remedy=f"expected PROG {FORMS[usual]}" if usual else _expected(),
    )


def _name_and_cookie(words: list[str], form: str) -> tuple[str, int]:
    if not words:
        raise UsageError(f"expected {FORMS[form]}")
    return words[0], pairs(words[1:], COOKIE, FORMS[form]).get("cookie", 0)


def _raw_tracepoint(words: list[str], stack: ExitStack) -> targets.Target:
    del stack
    return targets.RawTracepoint(*_name_and_cookie(words, "raw_tracepoint"))


def _loaded(attach_type: AttachType) -> Parser:
    def parse(words: list[str], stack: ExitStack) -> targets.Target:
        del stack
        if words and words[0] != "cookie":
            raise UsageError(
                f'"{words[0]}" is one word too many: the program knows its target since it was'
                " loaded"
            )
        cookie = pairs(words, COOKIE, FORMS["fentry"]).get("cookie", 0)
        return targets.Loaded(attach_type, cookie) if cookie else targets.Loaded()

    return parse


def _freplace(words: list[str], stack: ExitStack) -> targets.Target:
    """Read which function of which program to replace; none: the one from the load."""
    if not words:
        return targets.Loaded()
    from bpfctl.loader.program_target import function_of
    from bpfctl.objects.ids import ObjectKind

    from .chosen import open_one
    from .selectors import take_selector

    selector, rest = take_selector(words, ObjectKind.PROG)
    if len(rest) != 1:
        raise UsageError(f"expected {FORMS['freplace']}")
    program = stack.enter_context(open_one(selector))
    return targets.Function(program.fileno(), function_of(program, rest[0]), rest[0])


def _tracepoint(words: list[str], stack: ExitStack) -> targets.Target:
    """Read CATEGORY/NAME, or CATEGORY:NAME as perf writes it."""
    del stack
    text, cookie = _name_and_cookie(words, "tracepoint")
    category, _, name = text.replace(":", "/", 1).partition("/")
    if not category or not name:
        raise UsageError(f"expected {FORMS['tracepoint']}")
    return targets.Tracepoint(category, name, cookie)


_PARSERS: dict[str, Parser] = {
    "raw_tracepoint": _raw_tracepoint,
    "raw_tp": _raw_tracepoint,
    "tp_btf": _loaded(AttachType.TRACE_RAW_TP),
    "fentry": _loaded(AttachType.TRACE_FENTRY),
    "fexit": _loaded(AttachType.TRACE_FEXIT),
    "fsession": _loaded(AttachType.TRACE_FSESSION),
    "fmod_ret": _loaded(AttachType.MODIFY_RETURN),
    "lsm": _loaded(AttachType.LSM_MAC),
    "freplace": _freplace,
    **PROBE_PARSERS,
    "tracepoint": _tracepoint,
    "tp": _tracepoint,
    **NET_PARSERS,
    "iter": parse_iter,
}
