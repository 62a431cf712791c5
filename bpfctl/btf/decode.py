"""Read type information: parse a blob, look types up by id or name, follow and measure them.

Only the places of the records are found when a blob is parsed (the running kernel has more than
100,000 types); a type is decoded when somebody asks for it.
"""

from __future__ import annotations

import sys
from itertools import compress

from bpfctl.btf import c_names, layout
from bpfctl.btf import types as t
from bpfctl.btf.decoders import decode
from bpfctl.btf.index import Index
from bpfctl.btf.names import Names
from bpfctl.btf.records import Records
from bpfctl.btf.strings import Strings
from bpfctl.btf.texts import Texts
from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError
from bpfctl.plain_tools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

POINTER_BYTES = 8  # of BPF, and of every kernel we support
MAX_DEPTH = 64  # typedefs of typedefs, arrays of arrays; the kernel's own limit is 32
MAX_SIZE_BYTES = 0xFFFFFFFF


class Btf:
    """One blob of type information, on top of `base` for split BTF (kernel modules).

    `order` is its byte order as `struct` writes it, `path` where it came from (for messages),
    `header` its sections. Ids and string offsets go on where the base ends.
    """

    def __init__(
        self,
        data: layout.Blob,
        header: layout.Header,
        base: Btf | None,
        path: str,
        index: Index | None,
    ) -> None:
        self._blob = data
        self.header = header
        self.order = header.order
        self.base = base
        self.path = path
        self.first_id = len(base) if base else 1
        section = data[header.str_off : header.str_off + header.str_len]
        self.strings: Strings = Strings(section, base.strings if base else None)
        self.string_end: int = self.strings.end
        self._words = words = layout.section_words(data, header, path)
        sizes = layout.tail_sizes(data, header)
        starts = index.starts if index else None
        self._starts = starts or layout.walk_records(words, sizes, header, path, self.first_id)
        self.texts: Texts = Texts(self.strings, self.error)
        below = base.records if base is not None else None
        self.records: Records = Records(words, self._starts, self.texts, below, self.error)
        self._names = Names(words, self._starts, self.strings, index)
        self._types: dict[int, t.Type] = {}

    @classmethod
    def parse(
        cls,
        data: layout.Blob,
        *,
        base: Btf | None = None,
        path: str = "",
        index: Index | None = None,
    ) -> Btf:
        """Read the header and find each type's record; the types are decoded when asked for.

        An index of the same blob saves the walk over all records. A view is not copied: only what
        is asked for is read.
        Raises: BtfError for sections outside of the blob, a string section that does not begin
        and end with a zero byte, cut records, and kinds whose size is unknown.
        """
        data = data if isinstance(data, memoryview) else bytes(data)
        header = layout.parse_header(data, path)
        layout.check_strings(data, header, path, split=base is not None)
        if base and base.order != header.order:
            raise BtfError("type information has another byte order than its base", path=path)
        return cls(data, header, base, path, index)

    def __len__(self) -> int:
        """Give the number of ids, void and the base's included: ids are below it."""
        return self.records.end_id

    @cached_property
    def data(self) -> bytes:
        """The blob as given; one that was mapped is read whole."""
        return bytes(self._blob)

    def index(self) -> Index:
        """What a walk over the blob finds out, for `parse`; look-ups by name use it from now on."""
        return Index(self._starts, self._names.offsets, self._names.table)

    # --- strings and single types

    def string(self, offset: int) -> str:
        """The string at an offset.

        Raises: BtfError outside of the section, and for one longer than MAX_STRING_BYTES.
        """
        return self.texts[offset]

    def type(self, type_id: int) -> t.Type:
        """The type of that id. Raises: BtfError for no such id, or a broken record."""
        found = self._types.get(type_id)
        if found is None:
            if self.base is not None and type_id < self.first_id:
                return self.base.type(type_id)
            found = decode(self.records.read(type_id), self.texts.__getitem__)
            self._types[type_id] = found
        return found

    def kind_number(self, type_id: int) -> int:
        """The kind of a type without decoding it; may be newer than `Kind` knows."""
        if type_id == 0:
            return Kind.VOID
        if self.base is not None and type_id < self.first_id:
            return self.base.kind_number(type_id)
        return layout.kind_of(self._words[self.records.start(type_id) + 1])

    def name(self, type_id: int) -> str:
        """The name of a type, "" for an anonymous one, without decoding it."""
        if type_id == 0:
            return "void"
        if self.base is not None and type_id < self.first_id:
            return self.base.name(type_id)
        return self.string(self._words[self.records.start(type_id)])

    def record_offset(self, type_id: int) -> int:
        """Byte offset in `data` of a type's record (name_off, info, size or type, then its tail).

        Raises: BtfError for an id that is not in this blob (void, or one of the base).
        """
        return self.header.type_off + 4 * self.records.start(type_id)

    def ids(self, kinds: Collection[Kind]) -> list[int]:
        """The ids of all types of these kinds in this blob (not the base's), ascending."""
        wanted = bytes(layout.kind_of(top << 24) in kinds for top in range(256))
        ids = range(self.first_id, self.records.end_id)
        return list(compress(ids, self._tops.translate(wanted)))

    @cached_property
    def _tops(self) -> bytes:
        """The upper byte of each type's info word: kind and flag, of more than 100,000 types."""
        info_top = 7 if sys.byteorder == "little" else 4  # of a record's bytes
        tops = self._words.tobytes()[info_top::4]
        return bytes([tops[start] for start in self._starts])

    def unknown_kinds(self) -> dict[int, int]:
        """How many types of this blob are of kinds newer than ours, by the number of the kind.

        Only the layout section (Linux 7.1) tells their sizes: without it there are none.
        """
        found: dict[int, int] = {}
        if not self.header.layout_len:
            return found
        for start in self._starts:
            kind = layout.kind_of(self._words[start + 1])
            if kind not in layout.TAIL_WORDS:
                found[kind] = found.get(kind, 0) + 1
        return found

    def types(self) -> Iterator[t.Type]:
        """Decode and yield the types of this blob (not the base's), in the order of their ids.

        Kinds newer than ours are left out. Raises: BtfError for a broken one.
        """
        for type_id in range(self.first_id, len(self)):
            if self.kind_number(type_id) in layout.TAIL_WORDS:
                yield self.type(type_id)

    def validate(self) -> None:
        """Decode all types of this blob. Raises: BtfError for the first broken one."""
        for _ in self.types():
            pass

    # --- by name

    def find(self, name: str, kind: Kind) -> int | None:
        """The lowest id of a type of that name and kind."""
        found = self.find_all(name, (kind,))
        return found[0] if found else None

    def find_all(self, name: str, kinds: Collection[Kind] | None = None) -> list[int]:
        """All ids of types of that name, of one of the kinds, ascending."""
        base_ids = self.base.find_all(name, kinds) if self.base else []
        found = self._names.called(_encoded(name), kinds)
        return base_ids + [self.first_id + position for position in found]

    def find_flavors(self, name: str, kinds: Collection[Kind] | None = None) -> list[int]:
        """All ids of types called `name`, or `name` with a flavor ("name___old"), ascending.

        Source: libbpf's convention for CO-RE, "three underscores" (Linux 5.4).
        """
        base_ids = self.base.find_flavors(name, kinds) if self.base else []
        found = self._names.flavors(_encoded(name), kinds)
        return base_ids + [self.first_id + position for position in found]

    # --- following and measuring

    def skip_modifiers(self, type_id: int) -> int:
        """Follow typedef, const, volatile, restrict and type tags to the type behind them.

        Raises: BtfError when they go round in a circle or are more than MAX_DEPTH.
        """
        at = type_id
        for _ in range(MAX_DEPTH):
            found = self.type(at)
            if not isinstance(found, t.Modifier):
                return at
            at = found.type_id
        raise self.error(f"type {type_id} goes through more than {MAX_DEPTH} modifiers", type_id)

    def size_of(self, type_id: int) -> int:
        """The size in bytes of a value of that type.

        Raises: BtfError for a type without a size (void, functions, forward declarations), one
        that contains itself, or one that is 4 GiB or larger.
        """
        count, at = 1, type_id
        for _ in range(MAX_DEPTH):
            found = self.type(self.skip_modifiers(at))
            match found:
                case t.Array():
                    count, at = count * found.nelems, found.elem_type_id
                case t.Var():
                    at = found.type_id
                case t.Int() | t.Float() | t.Struct() | t.Enum() | t.Datasec():
                    return self._bounded(count * found.size_bytes, type_id)
                case t.Ptr():
                    return self._bounded(count * POINTER_BYTES, type_id)
                case _:
                    raise self.error(f"{self.type_name(type_id)} has no size", type_id)
        raise self.error(f"type {type_id} contains itself or is nested too deeply", type_id)

    def _bounded(self, size_bytes: int, type_id: int) -> int:
        if size_bytes > MAX_SIZE_BYTES:
            raise self.error(f"type {type_id} is {size_bytes} bytes large", type_id)
        return size_bytes

    def is_signed(self, type_id: int) -> bool:
        """Whether values of that type (modifiers skipped) are signed integers or enums."""
        found = self.type(self.skip_modifiers(type_id))
        if isinstance(found, t.Enum):
            return found.signed
        return isinstance(found, t.Int) and found.is_signed

    def func_proto(self, func_id: int) -> t.FuncProto:
        """The prototype of a function. Raises: BtfError when the id is no function's."""
        func = self.type(func_id)
        proto = self.type(func.proto_id) if isinstance(func, t.Func) else None
        if not isinstance(proto, t.FuncProto):
            raise self.error(f"type {func_id} is no function with a prototype", func_id)
        return proto

    def member(self, type_id: int, name: str) -> t.Member | None:
        """The member of that name of a struct or union (modifiers skipped), None without one.

        Looks into anonymous members too; `offset_bits` counts from the start of `type_id`.
        """
        # Each struct is searched once: hostile types can nest so that their paths are countless.
        seen: set[int] = set()
        to_search = [(type_id, 0)]
        while to_search:
            at, offset_bits = to_search.pop()
            outer = self.type(self.skip_modifiers(at))
            if not isinstance(outer, t.Struct) or outer.id in seen:
                continue
            seen.add(outer.id)
            for member in outer.members:
                place = offset_bits + member.offset_bits
                if member.name == name:
                    return t.Member(name, member.type_id, place, member.bitfield_bits)
                if not member.name:
                    to_search.append((member.type_id, place))
        return None

    def type_name(self, type_id: int) -> str:
        """A type as C would write it, for messages ("const struct task_struct *")."""
        return c_names.type_name(self, type_id)

    def error(self, message: str, type_id: int | None = None, code: str | None = None) -> BtfError:
        """Make an error about this blob, with the offset of the type concerned."""
        offset = None
        if type_id is not None and self.first_id <= type_id < len(self):
            offset = self.record_offset(type_id)
        return BtfError(message, path=self.path or None, section=".BTF", offset=offset, code=code)


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
