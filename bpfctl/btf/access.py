"""Follow the words of C from a variable to a part of it: `.member`, `[index]`."""

from __future__ import annotations

import re

from bpfctl.btf import types as t
from bpfctl.errors import NotFoundError, UsageError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.decode import Btf

_STEP: Final = re.compile(r"\.(?P<member>[A-Za-z_]\w*)|\[(?P<index>0[xX][0-9a-fA-F]+|\d+)\]")
_NEAREST: Final = 3


@plain
class Place:
    """A part of a value: its type, and where it begins.

    `bits` is the width of a bit-field, 0 for anything else.
    """

    type_id: int
    offset_bits: int = 0
    bits: int = 0


def locate(btf: Btf, type_id: int, path: str) -> Place:
    """Follow a path ("", ".port", "[2].name") from a value of that type.

    Raises: UsageError for a path that is none, or an index behind the end; NotFoundError for a
    member that is not there, with similar ones; BtfError for broken types.
    """
    place, at = Place(type_id), 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise UsageError(f'"{path[at:]}" is neither .member nor [index]', code="access-path")
        if step["member"]:
            place = _member(btf, place, step["member"])
        else:
            place = _element(btf, place, int(step["index"], 0))
        at = step.end()
    return place


def _member(btf: Btf, place: Place, name: str) -> Place:
    found = btf.member(place.type_id, name)
    what = btf.type_name(place.type_id)
    if found is None:
        names = member_names(btf, place.type_id)
        from difflib import get_close_matches

        near = get_close_matches(name, names, _NEAREST)
        raise NotFoundError(
            f"{what} has no member {name}",
            code="no-such-member",
            evidence=[f"its members: {', '.join(names)}"] if names else [f"{what} is no struct"],
            remedy=f"did you mean {' or '.join(near)}?" if near else None,
        )
    return Place(found.type_id, place.offset_bits + found.offset_bits, found.bitfield_bits)


def member_names(btf: Btf, type_id: int) -> list[str]:
    """The names of all members of a struct or union, those of anonymous ones within it too."""
    names: list[str] = []
    seen: set[int] = set()
    to_search = [type_id]
    while to_search:
        outer = btf.type(btf.skip_modifiers(to_search.pop()))
        if isinstance(outer, t.Struct) and outer.id not in seen:
            seen.add(outer.id)
            names += [member.name for member in outer.members if member.name]
            to_search += [member.type_id for member in outer.members if not member.name]
    return names


def _element(btf: Btf, place: Place, index: int) -> Place:
    array = btf.type(btf.skip_modifiers(place.type_id))
    if not isinstance(array, t.Array):
        raise UsageError(f"{btf.type_name(place.type_id)} is no array", code="access-path")
    if index >= array.nelems:
        message = f"[{index}] is behind the end of an array of {array.nelems}"
        raise UsageError(message, code="index-out-of-range")
    size = btf.size_of(array.elem_type_id)
    return Place(array.elem_type_id, place.offset_bits + 8 * size * index)
