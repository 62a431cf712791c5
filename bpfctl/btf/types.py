"""The types of BTF as plain data: one frozen class per kind.

A type refers to others by their ids; only a `Btf` can follow them. Type id 0 is void.
Source: include/uapi/linux/btf.h and Documentation/bpf/btf.rst, Linux 6.18.
"""

from __future__ import annotations

from bpfctl.btf.kinds import FuncLinkage as FuncLinkage
from bpfctl.btf.kinds import IntEncoding as IntEncoding
from bpfctl.btf.kinds import Kind as Kind
from bpfctl.btf.kinds import VarLinkage as VarLinkage
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


@plain
class Type:
    """What every type has. `id` is its number in the `Btf`, `name` is "" for an anonymous one.

    Bytes of a name that are no UTF-8 are kept as surrogates ("surrogateescape").
    """

    KIND: ClassVar[Kind] = Kind.VOID
    id: int
    name: str

    @property
    def kind(self) -> Kind:
        """The kind of record this type is stored as."""
        return self.KIND


@plain
class Void(Type):
    """No type at all: id 0, in no file."""

    id: int = 0
    name: str = "void"


@plain
class Int(Type):
    """An integer. Of its `size_bytes`, `bits` bits count, beginning at bit `offset_bits`."""

    KIND: ClassVar[Kind] = Kind.INT
    size_bytes: int
    encoding: int
    offset_bits: int
    bits: int

    @property
    def is_signed(self) -> bool:
        """Whether the integer has a sign."""
        return bool(self.encoding & IntEncoding.SIGNED)

    @property
    def is_char(self) -> bool:
        """Whether the producer marked it as a character (clang does not mark `char`)."""
        return bool(self.encoding & IntEncoding.CHAR)

    @property
    def is_bool(self) -> bool:
        """Whether it is a `_Bool`."""
        return bool(self.encoding & IntEncoding.BOOL)


@plain
class Float(Type):
    """A floating-point number of `size_bytes`."""

    KIND: ClassVar[Kind] = Kind.FLOAT
    size_bytes: int


@plain
class Ptr(Type):
    """A pointer to `type_id`. It has no name."""

    KIND: ClassVar[Kind] = Kind.PTR
    type_id: int


@plain
class Array(Type):
    """`nelems` elements of `elem_type_id`; 0 elements is a flexible array. It has no name."""

    KIND: ClassVar[Kind] = Kind.ARRAY
    elem_type_id: int
    index_type_id: int
    nelems: int


@plain
class Member:
    """A member of a struct or union.

    `bitfield_bits` is 0 for what is no bit-field, and for bit-fields in the old encoding, where
    the member's `Int` says how many bits count.
    """

    name: str
    type_id: int
    offset_bits: int
    bitfield_bits: int = 0


@plain
class Struct(Type):
    """A struct or a union."""

    size_bytes: int
    members: tuple[Member, ...]
    is_union: bool = False

    @property
    def kind(self) -> Kind:
        """STRUCT or UNION."""
        return Kind.UNION if self.is_union else Kind.STRUCT


@plain
class EnumValue:
    """One constant of an enumeration."""

    name: str
    value: int


@plain
class Enum(Type):
    """An enumeration; `is64` when its values are stored in 64 bits.

    Producers before Linux 6.0 and clang 15 never set the sign: negative values of theirs come
    with `signed` false, as large numbers.
    """

    size_bytes: int
    signed: bool
    values: tuple[EnumValue, ...]
    is64: bool = False

    @property
    def kind(self) -> Kind:
        """ENUM or ENUM64."""
        return Kind.ENUM64 if self.is64 else Kind.ENUM


@plain
class Fwd(Type):
    """A struct or union that is declared and not defined."""

    KIND: ClassVar[Kind] = Kind.FWD
    is_union: bool = False


@plain
class Modifier(Type):
    """What only wraps another type: its layout is that of `type_id`."""

    type_id: int


@plain
class Typedef(Modifier):
    """Another name for `type_id`."""

    KIND: ClassVar[Kind] = Kind.TYPEDEF


@plain
class Volatile(Modifier):
    """`volatile`. It has no name."""

    KIND: ClassVar[Kind] = Kind.VOLATILE


@plain
class Const(Modifier):
    """`const`. It has no name."""

    KIND: ClassVar[Kind] = Kind.CONST


@plain
class Restrict(Modifier):
    """`restrict`. It has no name."""

    KIND: ClassVar[Kind] = Kind.RESTRICT


@plain
class TypeTag(Modifier):
    """`__attribute__((btf_type_tag("name")))`, or any other attribute when `is_attribute`."""

    KIND: ClassVar[Kind] = Kind.TYPE_TAG
    is_attribute: bool = False


@plain
class Func(Type):
    """A function. `linkage` is a `FuncLinkage`, or a number newer than we are."""

    KIND: ClassVar[Kind] = Kind.FUNC
    proto_id: int
    linkage: int


@plain
class Param:
    """A parameter of a prototype; no name and type 0 at the end means "..."."""

    name: str
    type_id: int


@plain
class FuncProto(Type):
    """A function's prototype. It has no name."""

    KIND: ClassVar[Kind] = Kind.FUNC_PROTO
    return_type_id: int
    params: tuple[Param, ...]


@plain
class Var(Type):
    """A global variable. `linkage` is a `VarLinkage`, or a number newer than we are."""

    KIND: ClassVar[Kind] = Kind.VAR
    type_id: int
    linkage: int


@plain
class VarSecinfo:
    """Where a variable lies in its section, in bytes."""

    type_id: int
    offset: int
    size_bytes: int


@plain
class Datasec(Type):
    """A data section and the variables in it. `size_bytes` is 0 until a linker filled it in."""

    KIND: ClassVar[Kind] = Kind.DATASEC
    size_bytes: int
    vars: tuple[VarSecinfo, ...]


@plain
class DeclTag(Type):
    """`__attribute__((btf_decl_tag("name")))` on `type_id`.

    `component_idx` is -1 for the type itself, else the index of a member or parameter.
    """

    KIND: ClassVar[Kind] = Kind.DECL_TAG
    type_id: int
    component_idx: int
    is_attribute: bool = False
