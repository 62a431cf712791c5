"""The numbers of BTF that have names. `bpfctl.btf.types` has them too.

Source: include/uapi/linux/btf.h, Linux 6.18.
"""

from __future__ import annotations

from bpfctl.plain_enum import IntEnum, IntFlag


class Kind(IntEnum):
    """BTF_KIND_*: what a type record describes."""

    VOID = 0
    INT = 1
    PTR = 2
    ARRAY = 3
    STRUCT = 4
    UNION = 5
    ENUM = 6
    FWD = 7
    TYPEDEF = 8
    VOLATILE = 9
    CONST = 10
    RESTRICT = 11
    FUNC = 12
    FUNC_PROTO = 13
    VAR = 14
    DATASEC = 15
    FLOAT = 16
    DECL_TAG = 17
    TYPE_TAG = 18
    ENUM64 = 19


class IntEncoding(IntFlag):
    """BTF_INT_*: how to read the bits of an `Int`."""

    SIGNED = 1
    CHAR = 2
    BOOL = 4


class FuncLinkage(IntEnum):
    """BTF_FUNC_*: the linkage of a `Func`."""

    STATIC = 0
    GLOBAL = 1
    EXTERN = 2


class VarLinkage(IntEnum):
    """BTF_VAR_*: the linkage of a `Var`."""

    STATIC = 0
    GLOBAL_ALLOCATED = 1
    GLOBAL_EXTERN = 2
