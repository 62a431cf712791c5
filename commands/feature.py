"""`bpfctl feature`: ask the running kernel what it can do."""

from __future__ import annotations

from bpfctl.errors import UsageError

from .declare import Argument, Exit, Noun, Option
from .feature_words import GRAMMAR, parse
from .output import say, write_json, write_text
from .status import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from enum import IntEnum
    from typing import Annotated

    from bpfctl.features.report import FeatureReport

    from .context import Context
    from .declare import Call
    from .feature_words import ProbeWords

GROUPS = "{prog_types | map_types | attach_types | link_types | helpers}"

app = Noun("Ask the running kernel what it can do.")


@app.command()
def probe(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(
            metavar=GRAMMAR,
            help="As in bpftool. `full` gives every answer a line of its own, `macros` makes a"
            " header for C, `unprivileged` asks without capabilities.",
        ),
    ] = None,
    strict: Annotated[
        bool,
        Option(
            "--strict", help="Exit with 4 when something could not be told for lack of permission."
        ),
    ] = False,
) -> None:
    """Ask the running kernel what it can do.

    Each answer is yes, no, or "cannot tell" with the reason: a refusal for lack of permission says
    nothing about what the kernel can do. Program types are asked about for each attach type.
    Helper functions are asked about in JSON, with `full` and with `macros`; those three that make
    the kernel warn in its log only with `full`. `dev NAME` asks what programs and maps the hardware
    of a network device takes, and what its driver can do with XDP.
    """
    asked = parse(words or [])
    out = call.out
    if asked.unprivileged:
        from bpfctl.kernel.capabilities import drop_capabilities

        drop_capabilities()
    if asked.device:
        from .feature_device import probe as probe_device

        _strictly(probe_device(out, asked).denied(), strict=strict)
        return
    from bpfctl.features.probe import probe_kernel

    report = probe_kernel(helpers=asked.full or asked.macros or out.json, noisy=asked.full)
    show(out, report, asked)
    _strictly(report.denied(), strict=strict)


def _strictly(denied: list[str], *, strict: bool) -> None:
    """Say what could not be told, where somebody wants that to count. Raises: Exit."""
    if denied and strict:
        say(f"could not be told for lack of permission: {', '.join(denied)}")
        raise Exit(Status.NOT_PERMITTED)


@app.command("list_builtins")
def list_builtins(
    call: Call,
    group: Annotated[str, Argument(metavar=GROUPS, help="What to list.")],
) -> None:
    """List the names that this bpfctl knows: the running kernel is not asked.

    They are those of Linux 7.3, in the order of their numbers.
    """
    names = builtins(group)
    out = call.out
    if out.json:
        write_json(out, names)
    else:
        write_text("".join(f"{name}\n" for name in names))


def builtins(group: str) -> list[str]:
    """Return the names of a group, as bpftool has them. Raises: UsageError."""
    from bpfctl.kernel import uapi
    from bpfctl.kernel.uapi_helpers import HelperId

    enums: dict[str, tuple[type[IntEnum], str]] = {
        "prog_types": (uapi.ProgType, ""),
        "map_types": (uapi.MapType, ""),
        "attach_types": (uapi.AttachType, ""),
        "link_types": (uapi.LinkType, ""),
        "helpers": (HelperId, "bpf_"),
    }
    if group not in enums:
        raise UsageError(f'"{group}" is no group of names', remedy=f"expected {GROUPS}")
    names, prefix = enums[group]
    return [f"{prefix}{one.name.lower()}" for one in names]


def show(out: Context, report: FeatureReport, asked: ProbeWords) -> None:
    """Write a report: as JSON, as macros, as a table of a line for each answer, or on a screen."""
    if out.json:
        write_json(out, report.to_json())
    elif asked.macros:
        from .feature_macros import show_macros

        show_macros(report, asked.prefix)
    elif asked.full:
        from .feature_table import show_table

        show_table(out, report)
    else:
        from .feature_text import show_screen

        show_screen(report)
    missing = report.missing_capabilities
    if missing and report.denied():
        denied = len(report.denied())
        say(f"{denied} could not be told: denied, and this process lacks {', '.join(missing)}")
