"""Types as text or JSON, in pieces: a kernel has more than a hundred thousand."""

from __future__ import annotations

import gc
from itertools import islice

from .clean import clean
from .output import elements, say, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    from bpfctl.btf.types import Type

    from .btf_words import Dump
    from .context import Context

_BATCH: Final = 2000


def dump(out: Context, wanted: Dump) -> None:
    """Write the types that are wanted, and say what was left out.

    Raises: BtfError for broken ones.
    """
    unknown = wanted.source.btf.unknown_kinds()
    collects = gc.isenabled()
    gc.disable()  # no garbage in circles is made, and looking for it takes a twentieth of the time
    try:
        _write(out, _with_stand_ins(wanted) if unknown and wanted.form == "c" else wanted)
    finally:
        if collects:
            gc.enable()
    if not _roots(wanted):
        for kind, count in sorted(unknown.items()):
            noun = "type" if count == 1 else "types"
            say(f"left out: {count} {noun} of kind {kind}, newer than bpfctl knows")


def _write(out: Context, wanted: Dump) -> None:
    if wanted.form == "c":
        _write_pieces(_c_text(wanted))
    elif out.json or wanted.form == "json":
        _write_json(out, wanted)
    else:
        from bpfctl.btf.raw import to_text

        btf = wanted.source.btf
        _write_pieces(to_text(btf, one, clean) for one in _types(wanted))


def _with_stand_ins(wanted: Dump) -> Dump:
    """C needs something for each type: bytes, where nothing is known but that they are there."""
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.sanitize import sanitized
    from bpfctl.objects.btf_source import BtfSource

    from .btf_words import Dump

    btf, roots = wanted.source
    known = Btf.parse(sanitized(btf, frozenset()).data, base=btf.base, path=btf.path)
    source = BtfSource(known, roots)
    return Dump(source, wanted.form, wanted.roots, wanted.unsorted, wanted.contexts)


def _c_text(wanted: Dump) -> Iterator[str]:
    from bpfctl.btf.c_dump import Wanted, c_header

    btf, roots = wanted.source.btf, _roots(wanted)
    whole = Wanted.everything(btf, in_order=wanted.unsorted) if not roots else Wanted([*roots])
    if wanted.contexts:
        from bpfctl.btf.contexts import all_contexts

        whole = whole._replace(contexts=list(all_contexts(btf)))
    return c_header(btf, whole)


def _types(wanted: Dump) -> Iterable[Type]:
    btf, roots = wanted.source.btf, _roots(wanted)
    return btf.types() if not roots else [btf.type(one) for one in roots]


def _roots(wanted: Dump) -> tuple[int, ...]:
    return wanted.roots or wanted.source.roots


def _write_pieces(pieces: Iterable[str]) -> None:
    left = iter(pieces)
    while text := "".join(islice(left, _BATCH)):
        write_text(text)


def _write_json(out: Context, wanted: Dump) -> None:
    """Bpftool's object with a list of types; in JSON Lines a type a line."""
    from bpfctl.btf.raw import to_json

    records = (to_json(one) for one in _types(wanted))
    if out.json_lines:
        _write_pieces(elements(out, [record]) + "\n" for record in records)
        return
    indented = out.pretty
    write_text('{\n    "types": [' if indented else '{"types":[')
    between = ""
    while batch := list(islice(records, _BATCH)):
        text = elements(out, batch)
        write_text(between + (text.replace("\n", "\n    ") if indented else text))
        between = ","
    write_text("\n    ]\n}\n" if indented else "]}\n")
