"""How two sets of types differ, a type a paragraph; `+` is new, `-` is gone, `~` changed."""

from __future__ import annotations

from itertools import groupby

from .clean import clean
from .output import write_json, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Final

    from bpfctl.btf.diff import Change, Detail

    from .context import Context

_SHORT: Final = 60  # what changed into what stands in one line up to so many characters


def show_diff(out: Context, words: Sequence[str], bases: tuple[str, str], pattern: str) -> bool:
    """Show how the types of two sources differ; say whether they do.

    `bases` are files that the types of the two are based on, "" for none.

    Raises: UsageError, and what reading types raises.
    """
    from bpfctl.btf.diff import diff

    from .btf_words import take_source
    from .selectors import expect_end

    old, rest = take_source(words, (list(words[:1]) == ["file"] and bases[0]) or None)
    new, rest = take_source(rest, (rest[:1] == ["file"] and bases[1]) or None)
    expect_end(rest)
    changes = list(diff(old.btf, new.btf, pattern))
    if out.json:
        _write_json(out, changes)
    else:
        write_text("".join(map(_text, changes)))
    return bool(changes)


def _write_json(out: Context, changes: Sequence[Change]) -> None:
    groups: dict[str, list[object]] = {"added": [], "removed": [], "changed": []}
    for one in changes:
        groups[_group(one)].append(one.to_json())
    if out.json_lines:
        for name, records in groups.items():
            for record in records:
                write_json(out, {"change": name, "type": record})
    else:
        write_json(out, groups)


def _group(one: Change) -> str:
    if one.old is None:
        return "added"
    return "removed" if one.new is None else "changed"


def _text(one: Change) -> str:
    sign = {"added": "+", "removed": "-", "changed": "~"}[_group(one)]
    facts = one.new or one.old
    title = f"{sign} {one.kind} {clean(one.name)}"
    if one.old is None or one.new is None:
        about = clean(facts.text) if facts and facts.text else ""
        if facts and facts.size_bytes is not None and one.kind != "number":
            about = f"{about}, {facts.size_bytes} bytes".removeprefix(", ")
        return f"{title}: {about}\n" if about else f"{title}\n"
    return "".join([f"{title}\n", *(f"    {line}\n" for line in _lines(one.details))])


def _lines(details: Iterable[Detail]) -> Iterator[str]:
    """Yield a line for each thing that changed, and one for members that moved together."""
    for step, some in groupby(details, _step):
        run = list(some)
        yield _moved(run, step) if step is not None else "\n    ".join(map(_line, run))


def _step(one: Detail) -> int | None:
    return one.new.offset_bits - one.old.offset_bits if one.is_move else None


def _moved(run: Sequence[Detail], step: int) -> str:
    names = clean(run[0].name)
    if len(run) > 1:
        names += f" ... {clean(run[-1].name)} ({len(run)} members)"
    where = f"{_bits(run[0].old.offset_bits)} -> {_bits(run[0].new.offset_bits)}"
    return f"> {names}: offset {where} ({'+' if step > 0 else '-'}{_bits(abs(step))})"


def _line(one: Detail) -> str:
    if one.what == "size":
        return f"~ size {_value(one.old)} -> {_value(one.new)}"
    if one.what == "text":
        old, new = _value(one.old), _value(one.new)
        short = len(old) + len(new) <= _SHORT
        return f"~ {old} -> {new}" if short else f"- {old}\n    + {new}"
    name = clean(one.name)
    if one.old is None:
        return f"+ {name}{_told(one.new)}"
    if one.new is None:
        return f"- {name}{_told(one.old)}"
    if one.what == "constant":
        return f"~ {name}: {one.old} -> {one.new}"
    places = (one.old.offset_bits, one.new.offset_bits)
    moved = f", offset {_bits(places[0])} -> {_bits(places[1])}" if len({*places}) > 1 else ""
    return f"~ {name}: {clean(one.old.type)} -> {clean(one.new.type)}{moved}"


def _told(value: object) -> str:
    kind, offset = getattr(value, "type", None), getattr(value, "offset_bits", 0)
    return f" = {value}" if kind is None else f": {clean(str(kind))}, offset {_bits(offset)}"


def _value(value: object) -> str:
    return clean(str(value)) if value not in (None, "") else "none"


def _bits(bits: int) -> str:
    """Bytes, with the bit behind a colon where it is not the first."""
    whole, bit = divmod(bits, 8)
    return f"{whole}:{bit}" if bit else str(whole)
