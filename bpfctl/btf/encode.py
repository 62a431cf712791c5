"""Write type information: the reverse of `decode`.

Source: include/uapi/linux/btf.h, Linux 6.18.
"""

from __future__ import annotations

import struct

from bpfctl.btf import types as t
from bpfctl.btf.layout import HEADER_BYTES, MAGIC, VERSION
from bpfctl.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_VLEN = 0xFFFF
MAX_WIDE_VLEN = 0xFFFFFF  # from Linux 7.2 on; no older kernel reads it
MAX_MEMBER_OFFSET_BITS = 0xFFFFFF  # where the struct has bit-fields


class BtfBuilder:
    """Collects types and strings and makes a blob of them.

    `order` is "<" or ">". For split BTF give `first_id` (the `len` of its base) and
    `first_string` (the base's `string_end`). `strings` is a string section to begin with: the
    offsets in it stay as they are, because others may refer to them (.BTF.ext). `wide` is for what
    no old kernel gets: types may have 2**24 elements then.
    """

    def __init__(
        self,
        order: str = "<",
        *,
        first_id: int = 1,
        first_string: int = 0,
        strings: bytes = b"",
        wide: bool = False,
    ) -> None:
        self.order = order
        self._max_vlen = MAX_WIDE_VLEN if wide else MAX_VLEN
        self._next_id = first_id
        self._first_string = first_string
        self._records = bytearray()
        # Offset 0 is "": in the base when there is one.
        self._strings = bytearray(strings if strings or first_string else b"\0")
        self._offsets: dict[bytes, int] = {b"": 0}
        at = first_string
        for text in strings.split(b"\0")[:-1]:
            self._offsets.setdefault(text, at)
            at += len(text) + 1

    def add(self, new: t.Type) -> int:
        """Append a type and return the id it got; its own `id` is ignored.

        Raises: UsageError for values that do not fit into their fields.
        """
        try:
            self._records += self._record(new)
        except struct.error as err:
            message = f"a value does not fit into the type information of {new!r}: {err}"
            raise UsageError(message) from err
        self._next_id += 1
        return self._next_id - 1

    def add_all(self, types: Iterable[t.Type]) -> None:
        """Append types whose ids are already the ones they get."""
        for new in types:
            if new.id != self._next_id:
                raise UsageError(f"type {new.id} would become type {self._next_id}")
            self.add(new)

    def string(self, text: str) -> int:
        """The offset of a string; the same text gives the same offset.

        Raises: UsageError for a zero character, which would end it.
        """
        if "\0" in text:
            raise UsageError(f"{text!r} cannot be a name: it has a zero character")
        wanted = text.encode("utf-8", "surrogateescape")
        if wanted not in self._offsets:
            self._offsets[wanted] = self._first_string + len(self._strings)
            self._strings += wanted + b"\0"
        return self._offsets[wanted]

    def build(self) -> bytes:
        """The blob with all that was added so far."""
        spans = (HEADER_BYTES, 0, len(self._records), len(self._records), len(self._strings))
        header = struct.pack(self.order + "HBBIIIII", MAGIC, VERSION, 0, *spans)
        return header + bytes(self._records) + bytes(self._strings)

    def _record(self, new: t.Type) -> bytes:
        vlen, flag, refers, tail = self._parts(new)
        if not 0 <= vlen <= self._max_vlen:
            limit = f"{self._max_vlen} is the limit"
            raise UsageError(f"{new.name or 'a type'} has {vlen} elements; {limit}")
        info = int(flag) << 31 | new.kind << 24 | vlen
        words = [self.string(new.name), info, refers, *(word & 0xFFFFFFFF for word in tail)]
        return struct.pack(f"{self.order}{len(words)}I", *words)

    def _parts(self, new: t.Type) -> tuple[int, bool, int, list[int]]:
        """What a record has: vlen, kind_flag, size or type, and the words that follow."""
        match new:
            case t.Int():
                word = new.encoding << 24 | new.offset_bits << 16 | new.bits
                return 0, False, new.size_bytes, [word]
            case t.Array():
                return 0, False, 0, [new.elem_type_id, new.index_type_id, new.nelems]
            case t.Struct():
                return self._struct(new)
            case t.Enum():
                return len(new.values), new.signed, new.size_bytes, self._values(new)
            case t.FuncProto():
                pairs = [(self.string(param.name), param.type_id) for param in new.params]
                return len(pairs), False, new.return_type_id, [w for pair in pairs for w in pair]
            case t.Datasec():
                tail = [word for v in new.vars for word in (v.type_id, v.offset, v.size_bytes)]
                return len(new.vars), False, new.size_bytes, tail
            case _:
                return _small_parts(new)

    def _struct(self, new: t.Struct) -> tuple[int, bool, int, list[int]]:
        flag = any(member.bitfield_bits for member in new.members)
        tail = []
        for member in new.members:
            if flag and not 0 <= member.offset_bits <= MAX_MEMBER_OFFSET_BITS:
                raise UsageError(f"{new.name}.{member.name} lies too far in for a bit-field struct")
            offset = member.bitfield_bits << 24 | member.offset_bits
            tail += [self.string(member.name), member.type_id, offset]
        return len(new.members), flag, new.size_bytes, tail

    def _values(self, new: t.Enum) -> list[int]:
        tail = []
        for value in new.values:
            tail += [self.string(value.name), value.value]
            if new.is64:
                tail.append(value.value >> 32)
        return tail


def _small_parts(new: t.Type) -> tuple[int, bool, int, list[int]]:
    """The parts of kinds that have no elements."""
    match new:
        case t.Fwd():
            return 0, new.is_union, 0, []
        case t.TypeTag():
            return 0, new.is_attribute, new.type_id, []
        case t.Ptr() | t.Modifier():
            return 0, False, new.type_id, []
        case t.Func():
            return new.linkage, False, new.proto_id, []
        case t.Var():
            return 0, False, new.type_id, [new.linkage]
        case t.Float():
            return 0, False, new.size_bytes, []
        case t.DeclTag():
            return 0, new.is_attribute, new.type_id, [new.component_idx]
        case _:
            raise UsageError(f"{new!r} has no record: it is not written")
