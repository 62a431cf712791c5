"""What the kernel says of one of its functions: which symbols it has, and what may probe it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from bpfctl.errors import BpfctlError
from bpfctl.linux.tracefs import tracefs
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Final

KALLSYMS: Final = "/proc/kallsyms"
KPROBE_BLACKLIST: Final = "/sys/kernel/debug/kprobes/blacklist"
_DEBUGFS: Final = "/sys/kernel/debug/"
TRACEABLE: Final = "available_filter_functions"
_NEAREST: Final = 3
_COMMON_LETTERS: Final = (6, 4, 2)
_MOST_NAMES: Final = 20_000  # that begin alike; comparing more takes too long
_PADDING: Final = "__pfx_"  # names room before a function (Linux 6.2), not a function
_LONGEST: Final = 128  # KSYM_NAME_LEN was 128 until Linux 6.1


@plain
class FunctionFacts:
    """A function of the running kernel, as far as it can be read.

    `modules` has an entry for each symbol of exactly that name: the module's name, or "" for the
    kernel itself. `variants` are the names of copies that a compiler made for some callers
    ("x.isra.0", "x.constprop.0") or cut out of it ("x.part.0"). `traceable`: ftrace knows its
    entry. `probes_refused`: it is on the list of those without kprobes. None: cannot be read.
    """

    name: str
    modules: tuple[str, ...] | None
    variants: tuple[str, ...] = ()
    traceable: bool | None = None
    probes_refused: bool | None = None


def function_facts(name: str, symbols: str = KALLSYMS) -> FunctionFacts:
    """Collect what the kernel says of a function. Raises nothing: what cannot be read is None.

    Reading all symbols takes about a tenth of a second.
    """
    try:
        with open(symbols, "rb") as file:
            text = file.read()
    except OSError:
        return FunctionFacts(name, None)
    wanted = re.escape(name.encode("utf-8", "surrogateescape"))
    pattern = rb"^\w+ \w (%s(?:\.[\w.]+)?)(?:\t\[([^\]\n]+)\])?$" % wanted
    found = [
        (whole.decode("utf-8", "replace"), module.decode("utf-8", "replace"))
        for whole, module in re.findall(pattern, text, re.MULTILINE)
    ]
    return FunctionFacts(
        name,
        tuple(module for whole, module in found if _is_same(whole, name)),
        tuple(dict.fromkeys(whole for whole, _ in found if not _is_same(whole, name))),
        _is_listed(name),
        _refuses_probes(name),
    )


def near_functions(name: str, symbols: str = KALLSYMS) -> list[str]:
    """Return the nearest names of functions that begin alike: most slips are further behind."""
    from difflib import get_close_matches

    try:
        text = Path(symbols).read_bytes()
    except OSError:
        return []
    for length in _COMMON_LETTERS:
        start = re.escape(name[:length].encode("utf-8", "surrogateescape"))
        found = {
            one.decode(errors="replace") for one in re.findall(rb" [tT] (%s\w*)" % start, text)
        }
        known = sorted(one for one in found if not one.startswith(_PADDING))[:_MOST_NAMES]
        near = get_close_matches(name[:_LONGEST], known, _NEAREST)
        if near:
            return near
    return []


def _is_same(symbol: str, name: str) -> bool:
    """Whether a symbol is the function itself: link-time optimisation adds ".llvm.1234" to it."""
    return symbol == name or symbol.startswith(f"{name}.llvm.")


def function_size(name: str, symbols: str = KALLSYMS) -> int | None:
    """Return how many bytes lie between a function and the next symbol, padding included.

    None where there is no such function, or addresses are hidden (kptr_restrict).
    """
    try:
        lines = Path(symbols).read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    found = [(int(line[:16], 16), line.split(None, 3)[2]) for line in lines]
    start = next((address for address, symbol in found if symbol == name), 0)
    later = [address for address, _ in found if address > start]
    return min(later) - start if start and later else None


def without_entries(names: Collection[str]) -> list[str] | None:
    """Return those functions whose entry ftrace cannot patch; None where it does not tell.

    Source: available_filter_functions of tracefs, kernel/trace/ftrace.c.
    """
    try:
        with tracefs() as root:
            number = os.open(TRACEABLE, os.O_RDONLY | os.O_CLOEXEC, dir_fd=root)
            with os.fdopen(number, "rb") as file:
                lines = b"\n" + file.read()
    except (BpfctlError, OSError):
        return None
    if len(lines) == 1:
        return None
    starts = {name: b"\n" + name.encode("utf-8", "surrogateescape") for name in names}
    return [
        name
        for name, start in starts.items()
        if not any(start + end in lines for end in (b"\n", b" "))
    ]


def _is_listed(name: str) -> bool | None:
    missing = without_entries([name])
    return None if missing is None else not missing


def _refuses_probes(name: str) -> bool | None:
    """Ask the list of places where no kprobe may be (kernel/kprobes.c)."""
    lines = _blacklist()
    if lines is None:
        return None
    return any(line.split()[-1].split("+")[0] == name for line in lines if line.strip())


def _blacklist() -> list[str] | None:
    """Read the list in debugfs, which not every machine mounts; then we mount a private one."""
    try:
        return Path(KPROBE_BLACKLIST).read_text().splitlines()
    except OSError:
        from bpfctl.kernel.mount_private import mount_private
    try:
        with mount_private("debugfs") as root:
            place = KPROBE_BLACKLIST.removeprefix(_DEBUGFS)
            number = os.open(place, os.O_RDONLY | os.O_CLOEXEC, dir_fd=root.fileno())
            with os.fdopen(number) as file:
                return file.read().splitlines()
    except OSError:  # a SyscallError is one
        return None
