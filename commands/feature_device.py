"""`feature probe dev NAME`: what one network device can do."""

from __future__ import annotations

from bpfctl.errors import NotFoundError
from bpfctl.linux.version import kernel_release

from .clean import clean
from .feature_table import WORDS, FeatureRow, render_rows
from .feature_text import WIDTH, Page, separator
from .output import write_json, write_text
from .render import terminal_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.features.device import DeviceReport

    from .context import Context
    from .feature_words import ProbeWords

_LABELS = {"programs": "offload", "map_types": "maps", "misc": "misc", "xdp": "xdp"}


def probe(out: Context, asked: ProbeWords) -> DeviceReport:
    """Ask about a device, and show the answers. Raises: NotFoundError, SyscallError."""
    from bpfctl.features.device import probe_device
    from bpfctl.kernel.netlink import interfaces
    from bpfctl.objects.attach_places import find_interface

    name = asked.device
    index = find_interface(name)
    device = next((one for one in interfaces() if one.ifindex == index), None)
    if device is None:  # gone since
        raise NotFoundError("there is no such interface", subject=name)
    report = probe_device(device, helpers=asked.full or asked.macros or out.json, noisy=asked.full)
    if out.json:
        write_json(out, report.to_json())
    elif asked.macros:
        from .feature_macros import show_device_macros

        show_device_macros(report, asked.prefix)
    elif asked.full:
        render_rows(out, rows(report))
    else:
        page = Page(kernel_release(), terminal_width() or WIDTH, separator())
        write_text("".join(f"{line}\n" for line in lines(page, report)))
    return report


def rows(report: DeviceReport) -> Iterator[FeatureRow]:
    """Yield a row for each verdict and helper. Helpers that cannot be called have none."""
    for group, verdicts in report.groups().items():
        for name, verdict in verdicts.items():
            answer = WORDS[verdict.answer]
            yield FeatureRow(_LABELS[group], name, answer, verdict.reason, verdict.since)
    for kind, found in (report.helpers or {}).items():
        for name in found.names:
            yield FeatureRow("helper", f"{kind.name.lower()} {name}", "yes")


def lines(page: Page, report: DeviceReport) -> Iterator[str]:
    """Yield the lines of one screen: the driver, then the hardware."""
    device = report.device
    parts = [f"{device.name} (ifindex {device.ifindex})", *([device.kind] if device.kind else ())]
    parts += ["up" if device.is_up else "down", f"MTU {device.mtu}"]
    yield page.between.join(clean(part) for part in parts)
    groups = report.groups()
    text = page.grouped(groups["xdp"].items())
    if report.zerocopy_segments:
        text += f"{page.between}up to {report.zerocopy_segments} fragments with zero copy"
    yield from page.block("xdp", "", text)
    for group in ("programs", "map_types", "misc"):
        label = _LABELS[group] if group != "map_types" else ""
        text = page.grouped((f"{name}{_SUFFIX[group]}", v) for name, v in groups[group].items())
        yield from page.block(label, "", text)


_SUFFIX = {"programs": " programs", "map_types": " maps", "misc": ""}
