"""The words after `link create PROG iter`: what the iterator walks."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.kernel.names import number
from bpfctl.kernel.uapi import CgroupIterOrder
from bpfctl.objects.attach_targets import Iter

from .link_forms import ITER_FORM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack


_KEYS = ("map", "pid", "tid", "pidfd", "cgroup", "order")
_NUMBER_LIMITS = {"cgroup id": 1 << 64}  # others: 1 << 31


def parse_iter(words: list[str], stack: ExitStack) -> Iter:
    """Return the parameters; a map is opened, and closed by `stack`. Raises: UsageError."""
    values: dict[str, str | int | CgroupIterOrder] = {}
    while words:
        key, *words = words
        if key not in _KEYS or key in values:
            raise UsageError(f'"{key}" is not expected there: {ITER_FORM}')
        if key == "map":
            values[key], words = _map(words, stack)
            continue
        if key == "cgroup" and words[:1] == ["id"]:
            key, words = "cgroup id", words[1:]
        if not words:
            raise UsageError(f'"{key}" wants a value after it: {ITER_FORM}')
        values[key], *words = _iter_value(key, words[0]), *words[1:]
    return _walk(values)


def _map(words: list[str], stack: ExitStack) -> tuple[int, list[str]]:
    from bpfctl.objects.ids import ObjectKind

    from .chosen import open_one
    from .selectors import take_selector

    selector, rest = take_selector(words, ObjectKind.MAP)
    return stack.enter_context(open_one(selector)).fileno(), rest


def _iter_value(key: str, text: str) -> str | int | CgroupIterOrder:
    if key == "cgroup":
        return text
    if key == "order":
        found = number(CgroupIterOrder, text)
        if found is None:
            known = ", ".join(order.name.lower() for order in CgroupIterOrder if order)
            raise UsageError(f'"{text}" is no order to walk cgroups in', remedy=f"one of {known}")
        return CgroupIterOrder(found)
    if not text.isdecimal() or not 0 < int(text) < _NUMBER_LIMITS.get(key, 1 << 31):
        raise UsageError(f'"{text}" is no {key}')
    return int(text)


def _walk(values: dict[str, str | int | CgroupIterOrder]) -> Iter:
    if len(values.keys() - {"order"}) > 1:
        raise UsageError(f"an iterator takes one of these: {', '.join(values)}")
    if "order" in values and not values.keys() & {"cgroup", "cgroup id"}:
        raise UsageError("an order is for cgroups: expected cgroup DIR order ORDER")
    group, order = values.get("cgroup"), values.get("order")
    return Iter(
        map_fd=_whole(values.get("map")),
        tid=_whole(values.get("tid")),
        pid=_whole(values.get("pid")),
        cgroup=group if isinstance(group, str) else None,
        order=order if isinstance(order, CgroupIterOrder) else None,
        pid_fd=_whole(values.get("pidfd")),
        cgroup_id=_whole(values.get("cgroup id")),
    )


def _whole(value: str | int | None) -> int | None:
    return value if isinstance(value, int) else None
