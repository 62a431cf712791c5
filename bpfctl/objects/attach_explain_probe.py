"""Why a program could not be put on a function. Only imported when that happens."""

from __future__ import annotations

import errno

from bpfctl.linux.function_facts import FunctionFacts, function_facts, without_entries
from bpfctl.linux.kallsyms import addresses_of
from bpfctl.objects.attach_probe_targets import KprobeMulti
from bpfctl.objects.function_causes import absent, ambiguous, misplaced, refusing, untraceable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.errors import BpfctlError, SyscallError
    from bpfctl.objects.attach_probe_targets import Kprobe, UprobeMulti
    from bpfctl.objects.function_causes import Cause

_ABSENT: Final = frozenset({errno.ENOENT, errno.ESRCH})
_NO_PROBES: Final = frozenset({errno.EOPNOTSUPP, 524})  # ENOTSUPP has no name here
_REFUSED: Final = frozenset({errno.EINVAL, errno.EOPNOTSUPP})


def explain_kprobe(err: SyscallError, target: Kprobe) -> BpfctlError:
    """Return the error to raise: no such function, several of that name, or no probe there."""
    facts = function_facts(target.function)
    cause = absent(facts)
    if cause is None and err.errno == errno.EADDRNOTAVAIL:
        cause = ambiguous(facts)
    if cause is None and err.errno in _REFUSED:
        cause = refusing(facts) or untraceable(facts)
    cause = cause or misplaced(err.errno or 0, target.function, target.offset)
    if cause is not None:
        return _instead(cause, err)
    if err.errno == errno.EINVAL and target.offset:
        err.candidates.append(f"no instruction begins at offset {target.offset:#x}")
    elif err.errno in _REFUSED and facts.probes_refused is None:
        err.candidates.append(f"{target.function} may be one that takes no probes")
    return err


def explain_multi(err: SyscallError, target: KprobeMulti | UprobeMulti) -> BpfctlError | None:
    """Find the function that is missing or ambiguous, if that is why the kernel refused all.

    Source: ftrace_lookup_symbols, kernel/trace/ftrace.c, Linux 5.18: ESRCH unless each of the
    names is that of one traceable function.
    """
    if not isinstance(target, KprobeMulti) or err.errno not in _ABSENT:
        if err.errno == errno.EINVAL:
            err.candidates.append("the program was loaded for another attach type")
        elif err.errno in _NO_PROBES:
            err.candidates.append(
                "one of the places begins with an instruction that takes no probe"
            )
        return None
    found = addresses_of(target.functions)
    if found is None:
        return None
    missing = next((name for name in target.functions if name not in found), None)
    if missing is not None:
        cause = absent(function_facts(missing))
        return _instead(cause, err) if cause else None
    several = [name for name in target.functions if len(found[name]) > 1]
    err.evidence += [f"{len(found[name])} functions are called {name}" for name in several]
    return None if several else _untraceable(err, target)


def _untraceable(err: SyscallError, target: KprobeMulti) -> BpfctlError | None:
    """Find the first function whose entry ftrace cannot patch."""
    names = without_entries(target.functions)
    if not names:
        err.candidates.append("one of the functions cannot be traced (notrace, or inlined)")
        return None
    cause = untraceable(FunctionFacts(names[0], modules=("",), traceable=False))
    return _instead(cause, err) if cause else None


def _instead(cause: Cause, err: SyscallError) -> BpfctlError:
    """Make the error of a cause; it keeps the kernel's answer."""
    found = cause.error()
    found.refusal, found.explained = err, True
    return found
