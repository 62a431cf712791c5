"""Which kinds of types the running kernel refuses, found by loading one of each."""

from __future__ import annotations

import errno
import struct

from bpfctl.errors import SyscallError
from bpfctl.kernel.attr import btf_load
from bpfctl.kernel.bpf import bpf_fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_HEADER = struct.Struct("<HBBIIIII")
_MAGIC: Final = 0xEB9F
_STRINGS: Final = b"\0x\0?x\0"
_NAME: Final = 1
_QMARK_NAME: Final = 3


def _record(kind: int, vlen: int, size_or_type: int, *tail: int, name: int = _NAME) -> list[int]:
    return [name, kind << 24 | vlen, size_or_type, *tail]


_INT: Final = _record(1, 0, 4, 32)
_FUNC_PROTO: Final = _record(13, 0, 0, name=0)
_VAR: Final = _record(14, 0, 1, 1)
# Type 1 is always an int; kind numbers from include/uapi/linux/btf.h, Linux 6.18.
PROBES: Final = {
    "func": [*_INT, *_FUNC_PROTO, *_record(12, 0, 2)],
    "func_global": [*_INT, *_FUNC_PROTO, *_record(12, 1, 2)],
    "datasec": [*_INT, *_VAR, *_record(15, 1, 4, 2, 0, 4)],
    "empty_datasec": [*_INT, *_record(15, 0, 4)],
    "qmark_datasec": [*_INT, *_VAR, *_record(15, 1, 4, 2, 0, 4, name=_QMARK_NAME)],
    "float": [*_INT, *_record(16, 0, 4)],
    "decl_tag": [*_INT, *_VAR, *_record(17, 0, 2, 0xFFFFFFFF)],
    "type_tag": [*_INT, *_record(18, 0, 1)],
    "enum64": [*_INT, *_record(19, 1, 8, _NAME, 0, 0)],
}


def missing_kinds() -> frozenset[str]:
    """The kinds this kernel does not know; only EINVAL says so, all else proves nothing."""
    return frozenset(name for name, words in PROBES.items() if _is_refused(words))


def _is_refused(words: list[int]) -> bool:
    types = struct.pack(f"<{len(words)}I", *words)
    header = _HEADER.pack(_MAGIC, 1, 0, _HEADER.size, 0, len(types), len(types), len(_STRINGS))
    try:
        bpf_fd(btf_load(header + types + _STRINGS, doing="probe a kind of types")).close()
    except SyscallError as err:
        return err.errno == errno.EINVAL
    return False
