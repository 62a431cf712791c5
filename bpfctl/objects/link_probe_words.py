"""Words for what probes and perf events are on."""

from __future__ import annotations

from bpfctl.objects import link_probes as probes
from bpfctl.objects.attach_words import attach_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.linux.kallsyms import Symbol
    from bpfctl.objects.link_kinds import Details

_MOST_NAMES: Final = 3
_ENDBR_BYTES: Final = 4


def probe_target(details: Details) -> tuple[str, dict[str, object]]:
    """Return the words, and further fields for JSON."""
    match details:
        case probes.PerfTracepoint(name):
            return f"tracepoint {name}", {}
        case probes.PerfKprobe() as probe:
            at = _with_offset(probe.function or hex(probe.address), probe.offset)
            return f"{_kind('kprobe', probe.is_return)} {at}", {}
        case probes.PerfUprobe() as probe:
            at = _with_offset(probe.path, probe.offset)
            return f"{_kind('uprobe', probe.is_return)} {at}", {}
        case probes.PerfEvent() as event:
            return _event_words(event), {}
        case probes.UprobeMulti() as multi:
            return _uprobe_words(multi), {}
        case probes.KprobeMulti() as multi:
            return _functions(multi, _kind("kprobe", multi.is_return))
        case probes.TracingMulti() as tracing:
            return _functions(tracing, attach_word(tracing.attach_type))
    return "unknown", {}


def _event_words(event: probes.PerfEvent) -> str:
    source = event.type_name
    if isinstance(source, int):
        from bpfctl.linux.pmus import pmu_name

        source = pmu_name(source) or f"PMU {source}"
    config = event.config_name
    return f"{source} event {config if isinstance(config, str) else hex(config)}"


def _kind(word: str, is_return: bool) -> str:  # noqa: FBT001 - one of two words
    return word.replace("probe", "retprobe") if is_return else word


def _with_offset(name: str, offset: int) -> str:
    return f"{name}+{offset:#x}" if offset else name


def _uprobe_words(multi: probes.UprobeMulti) -> str:
    if not multi.count:
        at = "a file that this kernel does not tell"
    elif len(multi.places) == 1:
        at = _with_offset(multi.path, multi.places[0].at)
    else:
        at = f"{multi.path} ({multi.count} places)"
    only = f" (pid {multi.pid})" if multi.pid else ""
    return f"{_kind('uprobe', multi.is_return)} {at}{only}"


def _functions(
    multi: probes.KprobeMulti | probes.TracingMulti, kind: str
) -> tuple[str, dict[str, object]]:
    found = _symbols([place.at for place in multi.places])
    funcs = [
        {
            "addr": place.at,
            "func": found[place.at].name,
            "module": found[place.at].module,
            "cookie": place.cookie or 0,
        }
        for place in sorted(multi.places, key=lambda place: place.at)
        if place.at in found
    ]
    names = [str(func["func"]) for func in funcs[:_MOST_NAMES]]
    more = multi.count - len(names)
    if not multi.count:
        words = "functions that this kernel does not tell"
    elif not names:
        words = f"{multi.count} functions"
    else:
        words = ", ".join(names) + (f" and {more} more" if more else "")
    return f"{kind} {words}", {"funcs": funcs}


def _symbols(addresses: list[int]) -> dict[int, Symbol]:
    """Name functions by the places where they are traced.

    With indirect branch tracking (CONFIG_X86_KERNEL_IBT, Linux 5.18) that is behind the first
    instruction, endbr64.
    """
    from bpfctl.linux.kallsyms import symbols_at

    begins = symbols_at([at - back for at in addresses for back in (0, _ENDBR_BYTES)])
    found = {at: begins.get(at) or begins.get(at - _ENDBR_BYTES) for at in addresses}
    return {at: symbol for at, symbol in found.items() if symbol}
