"""The entries of maps as JSON (bpftool's) or a line each: one template for a whole batch."""

from __future__ import annotations

import json
import sys

from bpfctl.btf.values import Style, checked_shape
from bpfctl.btf.values_json import COMPACT, SPACED
from bpfctl.btf.values_leaf import number
from bpfctl.btf.values_text import (
    Part,
    combine,
    hex_array,
    hex_words,
    value_part,
)
from bpfctl.errors import BpfctlError, BtfError, NotFoundError, NotSupportedError
from bpfctl.kernel.uapi import MapType
from bpfctl.linux.cpus import possible_cpu_numbers
from bpfctl.objects.map import ID_TYPES, INDEXED_TYPES, Map
from bpfctl.plain import plain

from .clean import clean
from .output import elements, json_array, say, write_text
from .render import stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from bpfctl.btf.decode import Btf
    from bpfctl.objects.map_batch import Batch, Walk

    from .context import Context

    Rows = Callable[[Batch], bytes]

HOST_ORDER = "<" if sys.byteorder == "little" else ">"


@plain
class EntryFormat:
    """How entries are written: each part with the rows of a batch that it is for.

    `template` is that of an entry, with the parts' templates in it.
    """

    template: str
    between: str
    parts: tuple[tuple[Part, Rows], ...]

    def text(self, batch: Batch) -> str:
        """Write the entries of a batch."""
        columns = [
            column for part, rows in self.parts for column in part.columns(rows(batch), batch.count)
        ]
        return combine(self.template, self.between, columns, batch.count)


class _Builder:
    """Collects literal text and parts in the order of the output."""

    def __init__(self) -> None:
        self.template: list[str] = []
        self.parts: list[tuple[Part, Rows]] = []

    def text(self, text: str) -> None:
        self.template.append(text)

    def part(self, part: Part, rows: Rows) -> None:
        self.template.append(part.template)
        self.parts.append((part, rows))

    def done(self, between: str) -> EntryFormat:
        return EntryFormat("".join(self.template), between, tuple(self.parts))


@plain
class Types:
    """The parts for a key (None: it has no type) and for a value, by their BTF."""

    key: Part | None
    value: Part


def json_format(opened: Map, btf: Btf | None, between: str = ",") -> EntryFormat:
    """Bpftool's objects: raw bytes, and "formatted" where the types are known.

    Program arrays and maps of maps have "prog_id" or "inner_map_id" too.
    """
    build = _Builder()
    raw_value = hex_array(opened.info.bytes_value)
    build.text('{"key":')
    build.part(hex_array(opened.info.bytes_key), _keys)
    _json_values(build, opened, raw_value)
    if opened.info.type in ID_TYPES:
        build.text(f',"{_id_words(opened)}_id":')
        build.part(_u32(), _values)
    types = _types(opened, btf, Style.BPFTOOL)
    if types:
        build.text(',"formatted":{')
        if types.key:
            build.text('"key":')
            build.part(types.key, _keys)
        _json_values(build, opened, types.value, "," if types.key else "")
        build.text("}")
    build.text("}")
    return build.done(between)


def _json_values(build: _Builder, opened: Map, part: Part, before: str = ",") -> None:
    if not opened.per_cpu:
        build.text(before + '"value":')
        build.part(part, _values)
        return
    build.text(before + '"values":')
    for index, cpu in enumerate(possible_cpu_numbers()):
        build.text(("," if index else "[") + f'{{"cpu":{cpu},"value":')
        build.part(part, _slot(opened, index))
        build.text("}")
    build.text("]")


def line_format(opened: Map, btf: Btf | None) -> EntryFormat:
    """A line: the key, two blanks, the value; per-CPU values in brackets, in order of CPUs."""
    build = _Builder()
    types = _types(opened, btf, Style.NATURAL)
    key = types.key if types else None
    value = types.value if types else hex_words(opened.info.bytes_value)
    build.part(key or _plain_key(opened), _keys)
    build.text("  ")
    if opened.info.type in ID_TYPES:
        build.text("prog " if opened.info.type == MapType.PROG_ARRAY else "map ")
        value = _u32()
    if opened.per_cpu:
        for index in range(opened.slots):
            build.text(", " if index else "[")
            build.part(value, _slot(opened, index))
        build.text("]")
    else:
        build.part(value, _values)
    return build.done("\n")


def _types(opened: Map, btf: Btf | None, style: Style) -> Types | None:
    """The parts by type, None where BTF does not describe the bytes."""
    info = opened.info
    if btf is None or not info.value_type_id:
        return None
    marks = COMPACT if style is Style.BPFTOOL else SPACED
    try:
        value = checked_shape(btf, info.value_type_id, style, info.bytes_value)
        key = None
        if info.btf_key_type_id:
            shape = checked_shape(btf, info.btf_key_type_id, style, info.bytes_key)
            key = value_part(shape, btf.order, marks)
    except BtfError:
        return None
    return Types(key, value_part(value, btf.order, marks))


def _plain_key(opened: Map) -> Part:
    """A key without a type: an index where the map is an array, else bytes."""
    if opened.info.type in INDEXED_TYPES and opened.info.bytes_key == 4:
        return _u32()
    return hex_words(opened.info.bytes_key)


def _u32() -> Part:
    return value_part(number(32, signed=False), HOST_ORDER)


def _id_words(opened: Map) -> str:
    return "prog" if opened.info.type == MapType.PROG_ARRAY else "inner_map"


def _keys(batch: Batch) -> bytes:
    return batch.keys


def _values(batch: Batch) -> bytes:
    return batch.values


def _slot(opened: Map, index: int) -> Rows:
    """The values of one CPU, without their padding."""
    first, step, size = index * opened.slot_size, opened.value_size, opened.info.bytes_value

    def rows(batch: Batch) -> bytes:
        values = batch.values
        return b"".join([values[at : at + size] for at in range(first, len(values), step)])

    return rows


# --- writing


def dump(out: Context, opened: Sequence[Map]) -> None:
    """Write the entries of one map, or of several, each with a header as bpftool does.

    Raises: BpfctlError for a map whose entries cannot be listed, before anything is written.
    """
    dumps = [_Dump(out, each, each.walk()) for each in opened]
    if len(dumps) == 1:
        dumps[0].write()
    elif out.json:
        with json_array(out) as put:
            for each in dumps:
                each.write_object(put)
    else:
        for each in dumps:
            write_text(f"# map {each.opened.info.id}\n")
            each.write()


def _readable_types(opened: Map) -> Btf | None:
    """The types of a map; None where it has none, or none that we can read: its bytes remain."""
    try:
        return opened.btf()
    except (BtfError, NotFoundError, NotSupportedError) as err:
        say(f"map {opened.info.id} is shown without its types: {clean(str(err))}")
        return None


class _Dump:
    """One map on its way to standard output."""

    def __init__(self, out: Context, opened: Map, walk: Walk) -> None:
        self.out = out
        self.opened = opened
        self.walk = walk
        between = "\n" if out.json_lines else ","
        btf = _readable_types(opened)
        self.format = json_format(opened, btf, between) if out.json else line_format(opened, btf)

    def write(self) -> None:
        """Write the entries, in bounded memory."""
        stream(self.out, self.batches(), as_json=self.as_json, as_text=self.as_text)
        self.say_if_incomplete()

    def batches(self) -> Generator[Batch, None, None]:
        """Read the entries, naming the map in errors."""
        try:
            yield from self.walk.batches()
        except BpfctlError as err:
            raise err.within(operation="map-dump", subject=f"map {self.opened.info.id}") from err

    def as_json(self, batch: Batch) -> str:
        text = self.format.text(batch)
        if self.out.pretty and not self.out.json_lines:
            return elements(self.out, json.loads(f"[{text}]"))
        return text

    def as_text(self, batch: Batch) -> str:
        return self.format.text(batch) + "\n"

    def write_object(self, put: Callable[[str], None]) -> None:
        """Write an object with the map's header and its entries, as an element of an array."""
        shown = self.opened.info.to_json()
        kept = ["id", "type", "name", "flags"]
        header = {key: shown[key] for key in kept if key in shown}
        if self.out.pretty or self.out.json_lines:
            texts = [self.format.text(batch) for batch in self.batches()]
            entries = json.loads(f"[{','.join(texts)}]".replace("\n", ","))
            header["elements"] = entries
            put(elements(self.out, [header]))
        else:
            put(json.dumps(header, separators=(",", ":"))[:-1] + ',"elements":[')
            for index, batch in enumerate(self.batches()):
                write_text("," * bool(index) + self.format.text(batch))
            write_text("]}")
        self.say_if_incomplete()

    def say_if_incomplete(self) -> None:
        if not self.walk.complete:
            number = self.opened.info.id
            say(f"map {number} changed faster than it was read: entries may be missing or twice")
