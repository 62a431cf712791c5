"""Whether both loaded the same: programs by name, type, tag and target, and their maps."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = ("name", "type", "tag", "target")


def differences(verdict: dict[str, Any]) -> Iterator[str]:
    """Yield in words what bpfctl loaded differently."""
    ours, theirs = verdict["bpfctl"], verdict["bpftool"]
    if theirs["code"]:  # nothing of it is pinned: the kernel's records must do
        yield from _loads(ours, theirs)
        return
    own = {one["pin"]: one for one in ours["programs"]}
    other = {one["pin"]: one for one in theirs["programs"]}
    for name in sorted(own.keys() | other.keys()):
        if name not in own or name not in other:
            yield f"{name}: pinned by {'bpfctl' if name in own else 'bpftool'} only"
        else:
            yield from _program(name, own[name], other[name])


def _loads(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    """Compare names and tags; of what bpftool loaded for a probe, nothing is pinned by us."""
    wanted = {one["name"] for one in ours["programs"]}
    own = {(one["name"], one["tag"]) for one in ours["programs"]}
    other = {(name, tag) for name, tag in theirs["loads"] if name in wanted}
    missing = wanted - {name for name, _ in other}
    yield from (f"{name}: loaded by bpfctl only" for name in sorted(missing))
    for name, tag in sorted(own - other):
        if name not in missing:
            yield f"{name}: tag {tag}, bpftool's {dict(other)[name]}"


def _program(name: str, own: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    for field in FIELDS:
        if own[field] != other[field]:
            yield f"{name}: {field} {own[field]}, bpftool's {other[field]}"
    ours, theirs = (Counter(map(_words, one["maps"])) for one in (own, other))
    if ours != theirs:
        extra, lacking = ours - theirs, theirs - ours
        yield f"{name}: maps {sorted(extra)}, bpftool's {sorted(lacking)}"


def _words(one: dict[str, Any]) -> str:
    return " ".join(f"{field}={value}" for field, value in one.items())
