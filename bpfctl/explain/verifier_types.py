"""The verifier's names for kinds of values, in words. Pure."""

from __future__ import annotations

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
    "sock": "a socket",
    "sock_common": "a socket",
    "tcp_sock": "a TCP socket",
    "ptr_": "a pointer to a kernel object",
    "func": "a function",
    "dynptr_ptr": "a dynptr",
    "buf": "a buffer",
    "arena": "a pointer into the arena",
}
_PREFIXES: Final = ("rdonly_", "user_", "percpu_", "trusted_", "rcu_", "untrusted_", "alloc_")


def type_words(name: str) -> str:
    """Words for a type of value ("map_value_or_null": a pointer into a map value, or NULL)."""
    name = name.rstrip(",")
    nullable = "_or_null" in name
    bare = name.replace("_or_null", "", 1)
    for prefix in _PREFIXES:
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
