"""Names of kernel addresses, from /proc/kallsyms."""

from __future__ import annotations

from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


@plain
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
        with open(path, "rb") as lines:
            for line in lines:
                address = wanted.get(line[:16])
                if address is not None and address not in found:
                    found[address] = _symbol(line)
    except OSError:
        return found
    return found


def addresses_of(
    names: Collection[str], path: str = "/proc/kallsyms"
) -> dict[str, frozenset[int]] | None:
    """Return all addresses of each name that the kernel has, modules included; None: unreadable.

    A name that link-time optimisation gave a suffix (".llvm.1234") counts as the one without. All
    addresses read as 0 without CAP_SYSLOG (kptr_restrict).
    """
    if not names:
        return {}
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError:
        return None
    return {name: found for name in names if (found := frozenset(_addresses(text, name)))}


def addresses_hidden(path: str = "/proc/kallsyms") -> bool:
    """Say whether this process sees no address: all read as 0 without CAP_SYSLOG."""
    try:
        with open(path, "rb") as lines:
            return all(line.startswith(b"0" * 16) for line in lines)
    except OSError:
        return True


def _addresses(text: bytes, name: str) -> Iterator[int]:
    wanted = b" " + name.encode("utf-8", "surrogateescape")
    at = text.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        if text[end : end + 1] in (b"\n", b"\t", b"") or text[end : end + 6] == b".llvm.":
            start = text.rfind(b"\n", 0, at) + 1
            yield int(text[start : start + 16], 16)
        at = text.find(wanted, end)


def _symbol(line: bytes) -> Symbol:
    """Read `ffffffff81000000 T name` or `ffffffffc0000000 t name<tab>[module]`."""
    words = line.decode("utf-8", "replace").split()
    module = words[3].strip("[]") if len(words) > 3 else None
    return Symbol(words[2] if len(words) > 2 else "", module)
