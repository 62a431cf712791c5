"""Why a function of the kernel takes no program: what its symbols and lists say.

Sources: kernel/trace/ftrace.c (which entries can be patched), kernel/kprobes.c (where no probe may
be), number_of_same_symbols() in kernel/trace/trace_kprobe.c (ambiguous names, Linux 6.6).
"""

from __future__ import annotations

import errno

from bpfctl.errors import (
    AmbiguousError,
    BpfctlError,
    NotFoundError,
    NotSupportedError,
    UsageError,
)
from bpfctl.linux.function_facts import (
    KALLSYMS,
    KPROBE_BLACKLIST,
    TRACEABLE,
    function_size,
    near_functions,
)
from bpfctl.linux.kconfig import kernel_config
from bpfctl.linux.pmus import pmu_number
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.linux.function_facts import FunctionFacts

RENAMED: Final = "function-renamed"
NOT_TRACEABLE: Final = "function-not-traceable"
_VARIANTS_SHOWN: Final = 3


class Cause(NamedTuple):
    """What is the matter with a function; `kind` is the class of the error to raise.

    The headline of a NotSupportedError is the feature that the kernel does not have.
    """

    kind: type[BpfctlError]
    code: str
    headline: str
    evidence: tuple[str, ...]
    remedy: str | None = None

    def error(self) -> BpfctlError:
        """Make the error."""
        return self.kind(self.headline, code=self.code, evidence=self.evidence, remedy=self.remedy)


def absent(facts: FunctionFacts) -> Cause | None:
    """Say that there is no such function, or only copies under other names; None: it is there."""
    if facts.modules is None or facts.modules:
        return None
    if facts.variants:
        return _renamed(facts)
    near = near_functions(facts.name)
    return Cause(
        NotFoundError,
        "no-such-function",
        f"this kernel has no function {facts.name}",
        (f"{KALLSYMS} has no such symbol; it may have been inlined or renamed",),
        f"did you mean {' or '.join(near)}?" if near else None,
    )


def ambiguous(facts: FunctionFacts) -> Cause | None:
    """Say that several functions have the name."""
    if facts.modules is None or len(facts.modules) < 2:
        return None
    count, where = len(facts.modules), sorted(set(facts.modules) - {""})
    inside = f" (modules: {', '.join(where)})" if where else ""
    return Cause(
        AmbiguousError,
        "ambiguous-function",
        f"{count} functions of this kernel are called {facts.name}",
        (f"{KALLSYMS} has {count} symbols of that name{inside}",),
        f"kprobe.multi '{facts.name}' takes them all, where the kernel has it (Linux 5.18)",
    )


def refusing(facts: FunctionFacts) -> Cause | None:
    """Say that no kprobe can be put on the function."""
    if not facts.probes_refused:
        return None
    return Cause(
        NotSupportedError,
        "kprobe-blacklisted",
        f"probes on {facts.name}",
        (f"{facts.name} is in {KPROBE_BLACKLIST}",),
        "trace a function that calls it",
    )


def untraceable(facts: FunctionFacts) -> Cause | None:
    """Say that ftrace leaves the function out, so that neither fentry nor kprobes take it."""
    if not facts.modules or facts.traceable is not False:
        return None
    return Cause(
        NotSupportedError,
        NOT_TRACEABLE,
        f"tracing of {facts.name}",
        (
            f"it is in {KALLSYMS}, but not in {TRACEABLE} of tracefs",
            "such functions are marked notrace or __init, or compiled without room for tracing",
        ),
        "trace a function that calls it, or one that it calls",
    )


def misplaced(number: int, name: str, offset: int) -> Cause | None:
    """Say that no instruction of the function begins at an offset; `number` is the errno.

    Within a function EILSEQ has no other cause (can_probe, arch/x86/kernel/kprobes/core.c); where
    no function is at all the answer is EINVAL, or ENOENT (_kprobe_addr, kernel/kprobes.c).
    """
    if number not in (errno.EILSEQ, errno.EINVAL, errno.ENOENT) or not offset:
        return None
    size = function_size(name)
    if size is not None and offset >= size:
        return Cause(
            UsageError,
            "probe-offset-outside",
            f"offset {offset:#x} is behind the end of {name}",
            (f"{name} is {size:#x} bytes long, by {KALLSYMS}",),
            f"take an offset below {size:#x}",
        )
    if number != errno.EILSEQ:
        return None
    return Cause(
        UsageError,
        "probe-offset-inside",
        f"no instruction of {name} begins at offset {offset:#x}",
        ("the kernel answers EILSEQ: the offset is inside of an instruction",),
        f"take an offset from a disassembly of {name}, or probe its beginning",
    )


def _renamed(facts: FunctionFacts) -> Cause:
    """Only copies are there, which the compiler made for certain callers or cut out of it."""
    names = ", ".join(facts.variants[:_VARIANTS_SHOWN])
    more = len(facts.variants) - _VARIANTS_SHOWN
    return Cause(
        NotFoundError,
        RENAMED,
        f"the compiler left no {facts.name} in this kernel, only {names}"
        + (f" and {more} more" if more > 0 else ""),
        (
            f"{KALLSYMS} has {names}, and no {facts.name}",
            "copies called .isra or .constprop take other arguments than the source says",
        ),
        probe_instead(facts.variants[0], "finds the copy; a function that calls it is safer"),
    )


def probe_instead(symbol: str, words: str) -> str:
    """Advise a kprobe, where this kernel has them."""
    if pmu_number("kprobe") is None:
        return "trace a function that calls it (this kernel has no kprobes, which need no types)"
    return f'SEC("kprobe/{symbol}") {words}'


def no_probes(name: str) -> NotSupportedError:
    """Make the error for a kernel without "kprobe" or "uprobe" events."""
    config, option = kernel_config(), f"CONFIG_{name.upper()}S"
    evidence = [f"there is no /sys/bus/event_source/devices/{name}"]
    if config and config.get(option) is None:
        evidence.append(f"{config.source} says {option} is not set")
    return NotSupportedError(
        f"{name}s",
        code="probes-unsupported",
        evidence=evidence,
        candidates=[] if config else [f"the kernel was built without {option}"],
        remedy="use fentry, fexit or a tracepoint" if name == "kprobe" else None,
    )
