"""Check what programs attach to: functions, tracepoints, hooks and iterators of the kernel."""

from __future__ import annotations

import fnmatch
import re

from bpfctl.btf.types import Kind as Btf
from bpfctl.check.finding import Finding, Kind, State, settle
from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import NotFoundError, NotSupportedError
from bpfctl.loader.attach_target import find_target, look_up, similar_targets, type_name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Final

    from bpfctl.check.kernels import Target
    from bpfctl.elf.sections import SectionName
    from bpfctl.elf.spec import ProgramSpec

_PROBES: Final = frozenset({AttachKind.KPROBE, AttachKind.KPROBE_MULTI})
# Names of the functions behind a system call (arch/*/include/asm/syscall_wrapper.h, Linux 4.17).
_SYSCALL: Final = ("__x64_sys_", "__arm64_sys_", "__se_sys_", "sys_")
_WILD: Final = frozenset("*?")
_SYSCALL_EVENTS: Final = re.compile(r"sys_(?:enter|exit)_(\w+)")
_NOT_LISTED: Final = "its types do not list every function that a probe can go to"

Verdict = tuple[State, str]


def targets(
    programs: Iterable[ProgramSpec], loaded: Collection[str], target: Target
) -> Iterator[Finding]:
    """Yield a finding for each thing of the kernel that sections name."""
    users: dict[str, list[ProgramSpec]] = {}
    for one in programs:
        if one.section.kind is not AttachKind.STRUCT_OPS:  # members have a finding of their own
            users.setdefault(one.section.text.lstrip("?"), []).append(one)
    for name, found in users.items():
        section, who = found[0].section, [one.name for one in found]
        at_load = section.definition.btf_target
        verdict = _typed(section, target) if at_load else _untyped(section, target)
        if verdict is not None:
            state, why = settle(*verdict, who, loaded)
            yield Finding(Kind.TARGET, name, state, why, tuple(who), attach=not at_load)


def _typed(section: SectionName, target: Target) -> Verdict:
    """What a load itself asks for, as the loader looks it up."""
    if section.kind is AttachKind.EXT:
        return State.UNKNOWN, "a function of a loaded program, not of the kernel"
    if section.target is None:
        return State.UNKNOWN, "its section names none: --target says it when it loads"
    if look_up(section, target.types) is not None:
        return State.FOUND, ""
    module = section.target.rpartition(":")[0]
    if module not in ("", "vmlinux") and not target.has_modules:
        return State.UNKNOWN, f"the types of module {module} were not given"
    return State.MISSING, _why_missing(section, target) + _elsewhere(target)


def _why_missing(section: SectionName, target: Target) -> str:
    """What a load would say; of another kernel than the running one all that there is are types."""
    if target.is_running:
        try:
            find_target(section, target.types)
        except (NotFoundError, NotSupportedError) as err:
            return _words(err)
    near = similar_targets(section, target.types.btf)
    similar = f": did you mean {' or '.join(near)}?" if near else ""
    return f"its types have no {type_name_of(section)}{similar}"


def _words(err: NotFoundError | NotSupportedError) -> str:
    return f"{err.message}: {err.remedy}" if err.remedy else err.message


def _elsewhere(target: Target) -> str:
    return "" if target.has_modules else "; modules were not looked into"


def _untyped(section: SectionName, target: Target) -> Verdict | None:
    """What only an attachment asks for; None for what is no part of the kernel."""
    wanted = section.target
    if wanted is None:
        return None
    if section.kind in _PROBES:
        return _function(wanted.partition("+")[0], target)
    if section.kind is AttachKind.KSYSCALL:
        names = [prefix + wanted for prefix in _SYSCALL]
        found = any(target.has_function(name) for name in names)
        return (State.FOUND, "") if found else _unlisted(names[0], target)
    if section.kind is AttachKind.RAW_TRACEPOINT:
        return _tracepoint(wanted, target)
    if section.kind is AttachKind.TRACEPOINT:
        return _event(wanted, target)
    return None


def _function(name: str, target: Target) -> Verdict:
    if target.has_function(name):
        return State.FOUND, ""
    if _WILD & set(name):
        if next(_matching(name, target), None) is not None:
            return State.FOUND, ""
        return State.UNKNOWN, _NOT_LISTED
    in_module = any(one.btf.find(name, Btf.FUNC) is not None for one in target.types.modules)
    return (State.FOUND, "") if in_module else _unlisted(name, target)


def _unlisted(name: str, target: Target) -> Verdict:
    """What its types do not show may be there; the running kernel lists all its symbols."""
    if not target.is_running:
        return State.UNKNOWN, _NOT_LISTED
    from bpfctl.linux.kallsyms import addresses_of

    found = addresses_of([name])
    if found is None:
        return State.UNKNOWN, "/proc/kallsyms cannot be read"
    return (State.FOUND, "") if found else (State.MISSING, "/proc/kallsyms does not list it")


def _matching(pattern: str, target: Target) -> Iterator[str]:
    """Yield functions of the kernel that match a pattern with wildcards."""
    btf = target.types.btf
    start = btf.header.str_off
    strings = btf.data[start : start + btf.header.str_len]
    matches = re.compile(fnmatch.translate(pattern).encode()).match
    for name in strings.split(b"\0"):
        if matches(name) and target.has_function(name.decode("utf-8", "surrogateescape")):
            yield name.decode("utf-8", "replace")


def _tracepoint(name: str, target: Target) -> Verdict:
    """Each tracepoint has a type of its own (TRACE_EVENT, Linux 5.5)."""
    wanted = f"btf_trace_{name}"
    if target.types.btf.find(wanted, Btf.TYPEDEF) is not None:
        return State.FOUND, ""
    for module in target.types.modules:
        if module.btf.find(wanted, Btf.TYPEDEF) is not None:
            return State.FOUND, f"in module {module.name}"
    return State.MISSING, f"its types have no {wanted}{_elsewhere(target)}"


def _event(wanted: str, target: Target) -> Verdict:
    """A trace event: of a tracepoint, or of a system call; others have no types."""
    category, _, name = wanted.partition("/")
    if category == "syscalls":
        call = _SYSCALL_EVENTS.fullmatch(name)
        names = [prefix + call[1] for prefix in _SYSCALL] if call else []
        if any(target.has_function(one) for one in names):
            return State.FOUND, ""
        return State.UNKNOWN, "its types do not list the events of system calls"
    return _tracepoint(name, target)
