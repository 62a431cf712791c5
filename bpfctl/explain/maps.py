"""A map that the kernel does not make: which rule the request breaks, as the kernel confirms it.

The request is repeated with what a rule asks for, on a small map of our own that goes at once: when
that works, and the same without the change does not, the rule is the cause.
"""

from __future__ import annotations

import errno
import resource

from bpfctl.explain.explanation import Explanation
from bpfctl.explain.map_rules import RINGS, STORAGE, violations
from bpfctl.features.prober import Prober
from bpfctl.kernel.bpf import kernel_words
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.names import label
from bpfctl.kernel.request import Attr
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from bpfctl.explain.failure import Failure
    from bpfctl.explain.map_rules import Fields, Violation

_ERRNOS: Final = frozenset({errno.EINVAL, errno.E2BIG, errno.ENOMEM})
_FIELDS: Final = (
    *("map_type", "key_size", "value_size", "max_entries", "map_flags", "numa_node"),
    "map_extra",
)
_OF_MAPS: Final = frozenset({MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS})
_FEW: Final = 64
_MIB: Final = 1 << 20


def refused(failure: Failure) -> Explanation | None:
    """Name what is wrong with a request for a map, where the kernel confirms it."""
    if failure.errno not in _ERRNOS or failure.request is None:
        return None
    if failure.field("map_type") == MapType.STRUCT_OPS or failure.field("map_ifindex"):
        return None
    with Prober() as prober:
        fields = {name: failure.field(name) for name in _FIELDS}
        words = _words_of_kernel(prober, fields, failure)
        found = _cause(_Attempts(prober, failure.errno), failure, fields, words)
    if found is None and words:
        failure.evidence += words
    return found


def _words_of_kernel(prober: Prober, fields: Fields, failure: Failure) -> list[str]:
    """Quote what the kernel says of the same request (Linux 7.2 and later)."""
    said = kernel_words(_request(prober, fields, bytes(failure.request.union.map_name)))
    return [f"the kernel says: {line}" for line in said.splitlines() if line.strip()]


class _Attempts:
    """Makes maps to see whether that works."""

    def __init__(self, prober: Prober, number: int) -> None:
        self._prober = prober
        self.number = number

    def errno(self, fields: Fields) -> int:
        """Make a map and let it go; return the errno, 0 when it was made."""
        result = self._prober.call(_request(self._prober, fields))
        if result >= 0:
            Fd(result).close()
        return max(-result, 0)


def _cause(
    attempts: _Attempts, failure: Failure, fields: Fields, words: Sequence[str]
) -> Explanation | None:
    small = fields | {"max_entries": _few(fields)}
    number = attempts.errno(small)
    if number == 0:
        return _too_large(failure, fields, words) if small != fields else None
    broken = list(violations(small, resource.getpagesize()))
    for chosen in _choices(broken):
        changes = {name: value for one in chosen for name, value in one.changes.items()}
        if attempts.errno(small | changes) == 0:
            return _explained(failure, fields, chosen, words)
    return None


def _choices(broken: Sequence[Violation]) -> Iterator[tuple[Violation, ...]]:
    """Yield each rule alone, then each two, then those of sizes and flags that must be together."""
    yield from ((one,) for one in broken)
    yield from ((one, two) for at, one in enumerate(broken) for two in broken[at + 1 :])
    if len(broken) > 2:
        yield tuple(broken)


def _few(fields: Fields) -> int:
    """Return a small size that is as right or wrong as the one that was asked for."""
    size = fields["max_entries"]
    page = resource.getpagesize()
    if fields["map_type"] in RINGS:
        whole = size % page == 0 and size & (size - 1) == 0
        return min(size, page) if whole else size
    return min(size, _FEW)


def _request(prober: Prober, fields: Fields, name: bytes = b"") -> Attr:
    """Return a request with these fields; what it is made of is our own."""
    attr = Attr(Cmd.MAP_CREATE, "try a map")
    attr.set(**fields)
    kind = fields["map_type"]
    if kind in STORAGE and (btf := prober.storage_btf()) is not None:
        attr.set(btf_fd=btf.fileno(), btf_key_type_id=1, btf_value_type_id=2)
    if kind in _OF_MAPS and (inner := prober.inner_map()) is not None:
        attr.set(inner_map_fd=inner.fileno())
    if name:
        attr.union.map_name = name
    return attr


def _explained(
    failure: Failure, fields: Fields, broken: Sequence[Violation], words: Sequence[str]
) -> Explanation:
    first, *others = broken
    kind = label(MapType, fields["map_type"])
    confirmed = f"a small map of type {kind} with that changed is made, and not without"
    return replace(
        first.cause,
        headline=f"{failure.error.doing}: {first.cause.headline}",
        evidence=(*(one.cause.headline for one in others), confirmed, *words),
        remedy="; ".join(one.cause.remedy for one in broken if one.cause.remedy),
    )


def _too_large(failure: Failure, fields: Fields, words: Sequence[str]) -> Explanation:
    entries = fields["max_entries"]
    if fields["map_type"] in RINGS:
        size, what, unit = entries, "a ring buffer", "bytes"
    else:
        size = entries * (fields["key_size"] + fields["value_size"])
        unit, what = (
            "entries",
            f"{entries} entries of {fields['key_size']} + {fields['value_size']} bytes",
        )
    least = f"{what} take {-(-size // _MIB)} MiB at least"
    memory = "there is not enough memory for it" if failure.errno == errno.ENOMEM else ""
    reason = memory or "it is more than the kernel takes for one map"
    return Explanation(
        "map-too-large",
        f"{failure.error.doing}: too large: {reason}",
        (least, *_available(), f"the same map with {_few(fields)} {unit} is made", *words),
        f"fewer entries (--set-max-entries {_name(failure)}=N), or smaller values",
    )


def _name(failure: Failure) -> str:
    raw = bytes(failure.request.union.map_name).partition(b"\0")[0]
    return raw.decode("utf-8", "replace") or "MAP"


def _available(meminfo: str = "/proc/meminfo") -> Iterator[str]:
    """Say how much memory the kernel could hand out."""
    from pathlib import Path

    try:
        lines = Path(meminfo).read_text().splitlines()
    except OSError:
        return
    for line in lines:
        if line.startswith("MemAvailable:"):
            yield f"available memory: {int(line.split()[1]) // 1024} MiB"
