"""Names of kernel addresses, from /proc/kallsyms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol of the kernel; `module` is None for those of the kernel itself."""

    name: str
    module: str | None = None


def symbols_at(addresses: Collection[int], path: str = "/proc/kallsyms") -> dict[int, Symbol]:
    """Return the symbols that begin at some addresses; unknown addresses are left out.

    All addresses read as 0 without CAP_SYSLOG (kptr_restrict): nothing is found then.
    Reading the whole file takes about a tenth of a second.
    Source: s_show() in kernel/kallsyms.c.
    """
    wanted = {b"%016x" % address: address for address in addresses if address}
    found: dict[int, Symbol] = {}
    if not wanted:
        return found
    try:
        with open(path, "rb") as lines:  # noqa: PTH123 - the same, and plainer
            for line in lines:
                address = wanted.get(line[:16])
                if address is not None and address not in found:
                    found[address] = _symbol(line)
    except OSError:
        return found
    return found


def _symbol(line: bytes) -> Symbol:
    """Read `ffffffff81000000 T name` or `ffffffffc0000000 t name<tab>[module]`."""
    words = line.decode("utf-8", "replace").split()
    module = words[3].strip("[]") if len(words) > 3 else None
    return Symbol(words[2] if len(words) > 2 else "", module)
