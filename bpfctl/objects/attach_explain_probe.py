"""Why a program could not be put on a function. Only imported when that happens."""

from __future__ import annotations

import errno
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bpfctl.errors import AmbiguousError, BpfctlError, NotFoundError
from bpfctl.linux.kallsyms import addresses_of
from bpfctl.objects.attach_probe_targets import KprobeMulti

if TYPE_CHECKING:
    from bpfctl.errors import SyscallError
    from bpfctl.objects.attach_probe_targets import Kprobe, UprobeMulti

_ABSENT: Final = frozenset({errno.ENOENT, errno.ESRCH})
_BLACKLIST: Final = "/sys/kernel/debug/kprobes/blacklist"


def explain_kprobe(err: SyscallError, target: Kprobe) -> BpfctlError:
    """Return the error to raise: no such function, several of that name, or no probe there."""
    name = target.function
    found = _addresses(name)
    if found is not None and not found:
        return _no_function(name)
    if err.errno == errno.EADDRNOTAVAIL and found is not None:
        return AmbiguousError(
            f"{len(found)} functions of this kernel are called {name}",
            code="ambiguous-function",
            remedy=f"kprobe.multi '{name}' takes them all, where the kernel has it (Linux 5.18)",
        )
    if err.errno == errno.EILSEQ or (err.errno == errno.EINVAL and target.offset):
        err.candidates.append(f"no instruction begins at offset {target.offset:#x}")
    if err.errno in (errno.EINVAL, errno.EOPNOTSUPP):
        blacklisted = _is_blacklisted(name)
        if blacklisted:
            err.code = "kprobe-blacklisted"
            err.evidence.append(f"{name} is in {_BLACKLIST}")
        elif blacklisted is None:
            err.candidates.append(f"{name} may be one that takes no probes (see {_BLACKLIST})")
    return err


def explain_multi(err: SyscallError, target: KprobeMulti | UprobeMulti) -> BpfctlError | None:
    """Find the function that is missing or ambiguous, if that is why the kernel refused all.

    Source: ftrace_lookup_symbols, kernel/trace/ftrace.c, Linux 5.18: ESRCH unless each of the
    names is that of one traceable function.
    """
    if not isinstance(target, KprobeMulti) or err.errno not in _ABSENT:
        if err.errno == errno.EINVAL:
            err.candidates.append("the program was loaded for another attach type")
        return None
    found = addresses_of(target.functions)
    if found is None:
        return None
    absent = [name for name in target.functions if name not in found]
    if absent:
        return _no_function(absent[0])
    several = [name for name in target.functions if len(found[name]) > 1]
    err.evidence += [f"{len(found[name])} functions are called {name}" for name in several]
    if not several:
        err.candidates.append("one of the functions cannot be traced (notrace, or inlined)")
    return None


def _addresses(name: str) -> frozenset[int] | None:
    found = addresses_of([name])
    return None if found is None else found.get(name, frozenset())


def _no_function(name: str) -> NotFoundError:
    near = get_close_matches(name[:64], _names_like(name), n=3)
    return NotFoundError(
        f"this kernel has no function {name}",
        code="no-such-function",
        evidence=["/proc/kallsyms has no such symbol; it may have been inlined or renamed"],
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )


def _names_like(name: str, path: str = "/proc/kallsyms") -> list[str]:
    """Return the kernel's symbols with the same two first letters: all would be too many."""
    start = b" " + name[:2].encode("utf-8", "surrogateescape")
    found = set()
    try:
        with open(path, "rb") as lines:  # noqa: PTH123 - the same, and plainer
            for line in lines:
                if start in line:
                    found.add(line.split()[2].decode("utf-8", "replace"))
    except OSError:
        return []
    return sorted(found)


def _is_blacklisted(name: str) -> bool | None:
    """Ask the kernel's list of functions without probes; None where it cannot be read."""
    try:
        lines = Path(_BLACKLIST).read_text().splitlines()
    except OSError:
        return None
    return any(line.split()[-1].split("+")[0] == name for line in lines if line.strip())
