"""The verifier's verdict on each program of an object, and what it cost it to find.

Each program is loaded by itself and let go at once; maps are made for it and nothing is pinned.
"""

from __future__ import annotations

import errno
import re

from bpfctl.errors import BpfctlError, SyscallError, VerifierError
from bpfctl.kernel.flags import LogLevel
from bpfctl.linux.caps import Capability, has_capability
from bpfctl.loader.map_wishes import lacks_size
from bpfctl.loader.maps import effective
from bpfctl.loader.pipeline import load
from bpfctl.plain import plain, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from bpfctl.elf.spec import MapSpec, ObjectSpec
    from bpfctl.loader.kernel_btf import KernelBtf
    from bpfctl.loader.options import LoadOptions

SUCCESS: Final = "success"
FAILURE: Final = "failure"
# print_verification_stats(), kernel/bpf/verifier.c, Linux 5.2; some lines are younger or gone.
_STATISTICS: Final = {
    "insns": re.compile(r"^processed (\d+) insns", re.MULTILINE),
    "states": re.compile(r"\btotal_states (\d+)"),
    "peak_states": re.compile(r"\bpeak_states (\d+)"),
    "max_states_per_insn": re.compile(r"\bmax_states_per_insn (\d+)"),
    "mark_read": re.compile(r"\bmark_read (\d+)"),
    "duration_us": re.compile(r"^verification time (\d+) usec", re.MULTILINE),
}
_STACK: Final = re.compile(r"^stack depth ([\d+]+)", re.MULTILINE)


@plain
class Verified:
    """What became of one program. A number is None where the kernel does not tell it.

    `reason` says why it failed, "" when it did not. `insns` counts those the verifier processed,
    each as often as it went over it; `stack_bytes` is the stack of all functions together.
    """

    path: str
    program: str
    verdict: str
    reason: str = ""
    insns: int | None = None
    states: int | None = None
    peak_states: int | None = None
    max_states_per_insn: int | None = None
    mark_read: int | None = None
    stack_bytes: int | None = None
    duration_us: int | None = None

    def to_json(self) -> dict[str, object]:
        """The fields."""
        return {
            "object": self.path,
            "program": self.program,
            "verdict": self.verdict,
            "reason": self.reason or None,
            **{name: getattr(self, name) for name in NUMBERS},
        }


NUMBERS: Final = (
    "insns",
    "states",
    "peak_states",
    "max_states_per_insn",
    "mark_read",
    "stack_bytes",
    "duration_us",
)


def verify(spec: ObjectSpec, options: LoadOptions, kernel: KernelBtf) -> Iterator[Verified]:
    """Load the programs one by one: the chosen ones, or all of the file, "?" sections included.

    Raises: SyscallError without CAP_BPF.
    """
    spec = replace(spec, maps=tuple(_loadable(one) for one in spec.maps))
    for program in spec.programs:
        chosen = options.programs is None or program.name in options.programs
        if chosen and program.name not in options.skip:
            yield _verified(spec, program.name, options, kernel)


def _loadable(one: MapSpec) -> MapSpec:
    """A map that can be made here and now: nowhere pinned, and of one entry if of any size."""
    size = 1 if lacks_size(effective(one)) else one.max_entries
    return replace(one, pin_by_name=False, pin_path=None, max_entries=size)


def _verified(spec: ObjectSpec, name: str, options: LoadOptions, kernel: KernelBtf) -> Verified:
    alone = replace(options, programs=frozenset({name}), log_level=int(LogLevel.STATS))
    try:
        with load(spec, alone, kernel) as loaded:
            log = loaded.programs[name].log.text
    except BpfctlError as err:
        log = err.log if isinstance(err, VerifierError) else ""
        stops_all, cause = _stops_all(err), _cause(err, spec, kernel, alone)
        if stops_all:
            raise cause from None
        return Verified(spec.path, name, FAILURE, reason=cause.message, **statistics(log))
    return Verified(spec.path, name, SUCCESS, **statistics(log))


def _cause(
    error: BpfctlError, spec: ObjectSpec, kernel: KernelBtf, options: LoadOptions
) -> BpfctlError:
    """The error to tell of, with its cause where checks confirm one."""
    if not isinstance(error, SyscallError):
        return error
    from bpfctl.explain.load_failure import explain_load

    return explain_load(error, spec, kernel, options)


def _stops_all(error: BpfctlError) -> bool:
    """Whether an error is no verdict on a program: nothing may be loaded here at all."""
    refused = isinstance(error, SyscallError) and error.errno == errno.EPERM
    return refused and has_capability(Capability.BPF) is False


def statistics(log: str) -> dict[str, Any]:
    """The numbers at the end of a verifier's log, as far as it has them."""
    found: dict[str, Any] = {}
    for name, pattern in _STATISTICS.items():
        numbers = pattern.findall(log)
        if numbers:
            found[name] = int(numbers[-1])
    stack = _STACK.findall(log)
    if stack:
        found["stack_bytes"] = sum(int(one) for one in stack[-1].split("+") if one)
    return found


def total(found: list[Verified]) -> Verified:
    """The sums of all numbers, for the programs that have them; veristat's totals."""
    sums: dict[str, Any] = {}
    for name in NUMBERS:
        known = [value for one in found if (value := getattr(one, name)) is not None]
        sums[name] = sum(known) if known else None
    failed = sum(one.verdict != SUCCESS for one in found)
    verdict = f"{len(found) - failed} of {len(found)}"
    return Verified("", "total", verdict, **sums)
