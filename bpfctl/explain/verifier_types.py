"""The verifier's names for kinds of values, in words. Pure."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# reg_type_str(), kernel/bpf/log.c (Linux 7.3) and kernel/bpf/verifier.c (5.10).
_WORDS: Final = {
    "?": "a register without a value",
    "inv": "a number",
    "scalar": "a number",
    "ctx": "the context",
    "map_ptr": "a map",
    "map_value": "a pointer into a map value",
    "map_key": "a pointer to a map key",
    "fp": "a pointer to the stack",
    "pkt": "a pointer into the packet",
    "pkt_meta": "a pointer to the packet's metadata",
    "pkt_end": "the end of the packet",
    "mem": "a pointer to memory",
    "ringbuf_mem": "a record of a ring buffer",
    "alloc_mem": "a record of a ring buffer",  # its name until Linux 6.1
    "rdonly_mem": "a pointer to memory that may only be read",
    "sock": "a socket",
    "sock_common": "a socket",
    "tcp_sock": "a TCP socket",
    "ptr_": "a pointer to a kernel object",
    "func": "a function",
    "dynptr_ptr": "a dynptr",
    "buf": "a buffer",
    "arena": "a pointer into the arena",
}
_UNSIGNED: Final = 1 << 32
_RANGE: Final = re.compile(r"(?:smin=|\[)(-?\d+)(?: smax=|, )(-?\d+)")
_BITS: Final = re.compile(r"\((0x[0-9a-f]+); (0x[0-9a-f]+)\)")
_PREFIXES: Final = ("rdonly_", "user_", "percpu_", "trusted_", "rcu_", "untrusted_", "alloc_")


def type_words(name: str) -> str:
    """Words for a type of value ("map_value_or_null": a pointer into a map value, or NULL)."""
    name = name.rstrip(",")
    nullable = "_or_null" in name
    bare = name.replace("_or_null", "", 1)
    for prefix in () if bare in _WORDS else _PREFIXES:
        bare = bare.removeprefix(prefix)
    if bare.startswith("ptr_") and bare != "ptr_":
        words = f"a pointer to struct {bare.removeprefix('ptr_')}"
    else:
        words = _WORDS.get(bare, name)
    return f"{words}, or NULL" if nullable else words


def expected_words(names: str) -> str:
    """Words for a list of types that would do ("fp, pkt, map_value": any memory)."""
    kinds = [name.strip() for name in names.split(",") if name.strip()]
    if len(kinds) > 1 and "fp" in kinds:
        return "a pointer to memory: the stack, a map value and the like"
    return " or ".join(dict.fromkeys(type_words(kind) for kind in kinds))


def map_type_name(number: object) -> str:
    """The name of a map type by its number in the kernel's words."""
    from bpfctl.kernel.uapi import MapType

    try:
        return MapType(number).name.lower() if isinstance(number, int) else str(number)
    except ValueError:
        return str(number)


def helper_words(number: object) -> str:
    """The name of a helper by its number, as far as we know newer ones than the kernel does."""
    from bpfctl.asm.disasm import helper_name

    name = helper_name(number) if isinstance(number, int) else "unknown"
    return f"helper number {number}" if name == "unknown" else f"{name}() (helper {number})"


def values(text: str) -> str:
    """Words for a range of numbers as the verifier prints it; "" for what is none.

    "smin=2 smax=2" and "[0, 1]" since Linux 6.8, before "value (0x2; 0x0)": bits that are set, and
    bits that may be.
    """
    ends = _RANGE.search(text)
    if ends:
        return _between(int(ends[1]), int(ends[2]))
    bits = _BITS.search(text)
    if bits is None:
        return "any number" if "unknown scalar" in text else ""
    value, mask = int(bits[1], 16), int(bits[2], 16)
    if mask & (mask + 1) or value & mask:  # not all numbers in between
        return f"0x{value:x} with any of the bits 0x{mask:x}"
    return _between(value, value + mask)


def _between(low: int, high: int) -> str:
    """A range; the program returns an int, so that 0xffffffff is -1."""
    if low <= 0 and high >= _UNSIGNED - 1:
        return "any number"
    if low >= _UNSIGNED // 2 and high < _UNSIGNED:
        low, high = low - _UNSIGNED, high - _UNSIGNED
    return str(low) if low == high else f"{low} to {high}"
