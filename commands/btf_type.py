"""One type for people: C, with offset and size of each member behind it, and the holes."""

from __future__ import annotations

from bpfctl.errors import UsageError

from .clean import clean
from .output import elements, json_array, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from bpfctl.btf.members import Field, Inside
    from bpfctl.btf.shown import ShownType

    from .context import Context

_INDENT: Final = "    "
_WIDEST: Final = 60  # of the declarations that the column of offsets makes room for


def show_type(out: Context, words: Sequence[str], base: str | None, *, expand: bool) -> None:
    """Show the types of a name: `[KIND] NAME [SOURCE]`.

    Raises: UsageError, NotFoundError, and what reading types raises.
    """
    from bpfctl.objects.btf_find import types_called

    from .btf_words import take_source

    word, name, rest = _read(words)
    source = None
    if rest:
        source, rest = take_source(rest, base)
    if rest:
        raise UsageError(f'"{rest[0]}" is one word too many: nothing is expected there')
    found = types_called(name, word, source.btf if source else None, expand=expand)
    if out.json:
        with json_array(out) as put:
            put(elements(out, [one.to_json() for one in found]))
    else:
        write_text("\n".join(_text(one) for one in found))


def _read(words: Sequence[str]) -> tuple[str, str, list[str]]:
    from bpfctl.btf.shown import KIND_WORDS

    first, *rest = words
    if first not in KIND_WORDS:
        return "type", first, rest
    if not rest:
        raise UsageError(f'"{first}" wants the name of a type after it')
    return first, rest[0], rest[1:]


def _text(one: ShownType) -> str:
    head = clean(one.text)
    if one.layout is not None:
        head = head.rpartition(" ")[0] if one.kind.name == "TYPEDEF" else head
        rows = [f"{head.removesuffix(' (anon)')} {{", *_rows(one.layout, 1)]
        tail = f"}} {clean(one.name)};" if one.kind.name == "TYPEDEF" else "};"
        return "\n".join([*rows, f"{tail} /* {_summary(one)} */"]) + "\n"
    if one.constants:
        lines = [f"{_INDENT}{clean(value.name)} = {value.value}," for value in one.constants]
        return "\n".join([f"{head} {{", *lines, f"}}; /* {_summary(one)} */"]) + "\n"
    return f"{head}; /* {_summary(one)} */\n"


def _summary(one: ShownType) -> str:
    words = [] if one.size_bytes is None else [_bytes(8 * one.size_bytes)]
    if one.layout is not None:
        holes = one.layout.holes
        words.append(_count(len(one.layout.fields), "member"))
        if holes:
            words.append(f"{_count(len(holes), 'hole')} of {_bytes(sum(holes))}")
        if one.layout.padding_bits:
            words.append(f"{_bytes(one.layout.padding_bits)} of padding")
    elif one.kind.name == "FWD":
        words.append("declared only")
    words.append(f"type {one.id}" + (f" of {clean(one.origin)}" if one.origin else ""))
    return ", ".join(words)


def _rows(layout: Inside, depth: int) -> list[str]:
    lines = list(_lines(layout, depth))
    widths = [len(left) for left, place in lines if place and len(left) <= _WIDEST]
    width = max(widths, default=0)
    return [f"{left:<{width}} {place}" if place else left for left, place in lines]


def _lines(layout: Inside, depth: int) -> Iterator[tuple[str, str]]:
    """Yield each line, and the comment with its place where it has one."""
    indent = _INDENT * depth
    for field in layout.fields:
        if field.hole_bits:
            yield f"{indent}/* hole of {_bytes(field.hole_bits)} */", ""
        base, behind = clean(field.base), clean(field.declarator)
        bits = f" : {field.bitfield_bits}" if field.bitfield_bits else ""
        if field.inside:
            yield f"{indent}{base.removesuffix(' (anon)')} {{", ""
            yield from _lines(field.inside, depth + 1)
            yield f"{indent}}}{' ' * bool(behind)}{behind};", _place(field)
        else:
            yield f"{indent}{base} {behind}".rstrip() + f"{bits};", _place(field)
    if layout.padding_bits:
        yield f"{indent}/* {_bytes(layout.padding_bits)} of padding */", ""


def _place(field: Field) -> str:
    offset, bit = divmod(field.offset_bits, 8)
    where = f"{offset:>5}:{bit}" if field.bitfield_bits else f"{offset:>5}  "
    return f"/* {where} {field.size_bytes:>5} */"


def _bytes(bits: int) -> str:
    whole, rest = divmod(bits, 8)
    words = [_count(whole, "byte")] if whole or not rest else []
    return ", ".join([*words, _count(rest, "bit")] if rest else words)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
