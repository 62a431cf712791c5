"""How the types of one kernel differ from those of another, as far as programs can see it."""

from __future__ import annotations

from bpfctl.btf.facts import Facts, all_facts
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.facts import MemberFact, Name


@plain
class Detail:
    """One thing that changed in a type: `what` is "size", "text", "member" or "constant".

    Of what is new `old` is None, of what is gone `new`. Members have (type, offset in bits).
    """

    what: str
    name: str
    old: Any
    new: Any

    def to_json(self) -> dict[str, Any]:
        """The change with its values as they are; members with `type` and `bits_offset`."""
        return {
            "what": self.what,
            "name": self.name,
            "old": _plain(self.old),
            "new": _plain(self.new),
        }

    @property
    def is_move(self) -> bool:
        """Whether a member only lies elsewhere."""
        both = self.what == "member" and self.old is not None and self.new is not None
        return both and bool(self.old.type == self.new.type)


@plain
class Change:
    """A type that is in one of the two only (`old` or `new` is None), or that changed."""

    kind: str
    name: str
    old: Facts | None
    new: Facts | None
    details: tuple[Detail, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Kind and name, and what is known of it or what changed."""
        record: dict[str, Any] = {"kind": self.kind, "name": self.name}
        facts = self.old or self.new
        if self.old is None or self.new is None:
            if facts and facts.text:
                record["text"] = facts.text
            if facts and facts.size_bytes is not None:
                record["size"] = facts.size_bytes
            return record
        return record | {"changes": [one.to_json() for one in self.details]}


def _plain(value: Any) -> Any:
    if hasattr(value, "offset_bits"):
        return {"type": value.type, "bits_offset": value.offset_bits}
    return value


def diff(old: Btf, new: Btf, pattern: str = "*") -> Iterator[Change]:
    """Yield the differences between the named types of two blobs, by kind and name.

    Types only count whose names match `pattern`, with "*", "?" and "[...]". Raises: BtfError.
    """
    before, after = all_facts(old, pattern), all_facts(new, pattern)
    for key in sorted(before.keys() | after.keys()):
        ours, theirs = before.get(key, []), after.get(key, [])
        if ours != theirs:
            yield from _changes(key, _without(ours, theirs), _without(theirs, ours))


def _without(some: list[Facts], others: list[Facts]) -> list[Facts]:
    """Leave out what is among the others too: static functions and structs may share a name."""
    left = list(others)
    found = []
    for one in some:
        if one in left:
            left.remove(one)
        else:
            found.append(one)
    return found


def _changes(key: Name, ours: list[Facts], theirs: list[Facts]) -> Iterator[Change]:
    pairs = min(len(ours), len(theirs))
    for old, new in zip(ours, theirs, strict=False):
        yield Change(*key, old, new, tuple(_details(old, new)))
    yield from (Change(*key, one, None) for one in ours[pairs:])
    yield from (Change(*key, None, one) for one in theirs[pairs:])


def _details(old: Facts, new: Facts) -> Iterator[Detail]:
    if old.size_bytes != new.size_bytes:
        yield Detail("size", "", old.size_bytes, new.size_bytes)
    if old.text != new.text:
        yield Detail("text", "", old.text, new.text)
    yield from _of_each("member", old.members or {}, new.members or {})
    yield from _of_each("constant", old.constants or {}, new.constants or {})


def _of_each(
    what: str,
    old: dict[str, MemberFact] | dict[str, int],
    new: dict[str, MemberFact] | dict[str, int],
) -> Iterator[Detail]:
    """Compare two lists by name: what is gone in the old order, then all else in the new one."""
    yield from (Detail(what, name, old[name], None) for name in old if name not in new)
    for name, value in new.items():
        if name not in old or old[name] != value:
            yield Detail(what, name, old.get(name), value)
