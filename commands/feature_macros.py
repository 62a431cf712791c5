"""A report about a kernel as macros of C, under bpftool's names."""

from __future__ import annotations

from bpfctl.features.verdict import Answer, errno_name

from .clean import clean
from .output import write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bpfctl.features.device import DeviceReport
    from bpfctl.features.helpers import HelperSet
    from bpfctl.features.report import FeatureReport
    from bpfctl.features.verdict import Verdict
    from bpfctl.kernel.uapi import ProgType

_HELPER = """\
/*
 * {prefix}HAVE_PROG_TYPE_HELPER(prog_type, helper) is 1 where programs of a type may call a helper:
 *
 *	#if {prefix}HAVE_PROG_TYPE_HELPER(xdp, bpf_redirect)
 *
 * It is 0 where they may not, and where that could not be told.
 */
#define {prefix}HAVE_PROG_TYPE_HELPER(prog_type, helper) \\
	{prefix}BPF__PROG_TYPE_ ## prog_type ## __HELPER_ ## helper
"""


def show_macros(report: FeatureReport, prefix: str) -> None:
    """Write a header: HAVE_x for a yes, NO_HAVE_x for a no, a comment for what nobody can tell."""
    hertz = report.facts.option("CONFIG_HZ")
    config = [f"#define {prefix}CONFIG_HZ {clean(hertz)}"] if hertz else []
    types = dict(sorted(report.program_types().items()))
    lines = _section("Misc kernel config items", config)
    lines += _header(report, types, prefix)
    write_text("\n".join(lines))


def show_device_macros(report: DeviceReport, prefix: str) -> None:
    """Write such a header of what a network device can do."""
    lines = _header(report, report.programs, prefix)
    lines += _section(
        "XDP in the driver", _macros({f"xdp_{k}": v for k, v in report.xdp.items()}, prefix)
    )
    write_text("\n".join(lines))


def _header(
    report: FeatureReport | DeviceReport, types: Mapping[ProgType, Verdict], prefix: str
) -> list[str]:
    programs = {f"{kind.name}_PROG_TYPE": verdict for kind, verdict in types.items()}
    maps = {f"{name}_MAP_TYPE": verdict for name, verdict in report.map_types.items()}
    lines = _section("System call availability", _macros({"BPF_SYSCALL": report.syscall}, prefix))
    lines += _section("eBPF program types", _macros(programs, prefix))
    lines += _section("eBPF map types", _macros(maps, prefix))
    if report.helpers is not None:
        text = [_HELPER.format(prefix=prefix).rstrip("\n"), *_helpers(report.helpers, prefix)]
        lines += _section("eBPF helper functions", text)
    return lines + _section("eBPF misc features", _macros(report.misc, prefix))


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return [f"/*** {title} ***/", *lines, ""]


def _macros(verdicts: Mapping[str, Verdict], prefix: str) -> Iterator[str]:
    for name, verdict in verdicts.items():
        macro = f"HAVE_{name.upper()}"
        if verdict.answer is Answer.UNKNOWN:
            why = errno_name(verdict.errno) if verdict.errno else verdict.reason
            yield f"/* {prefix}{macro}: cannot tell ({clean(why)}) */"
        else:
            yield f"#define {prefix}{'' if verdict.available else 'NO_'}{macro}"


def _helpers(helpers: Mapping[ProgType, HelperSet], prefix: str) -> Iterator[str]:
    """Yield a macro for each helper that was asked about, with a number that #if can take."""
    for kind, found in sorted(helpers.items()):
        for name, answer in found.answers.items():
            yes = int(answer is Answer.AVAILABLE)
            yield f"#define {prefix}BPF__PROG_TYPE_{kind.name.lower()}__HELPER_{name} {yes}"
