"""Load the types of an object into the kernel.

The kernel gets the object's types as they are, with hidden functions turned static. Only when it
refuses them do we ask which kinds it does not know, and load them again without those.
"""

from __future__ import annotations

import errno
import struct

from bpfctl.btf.layout import HEADER_BYTES
from bpfctl.errors import SyscallError
from bpfctl.kernel.attr_prog import btf_load
from bpfctl.kernel.bpf import bpf_fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import FunctionSpec
    from bpfctl.kernel.fd import Fd

BTF_REJECTED: Final = "btf-rejected"
_INFO = struct.Struct("<I")
_OFFSET_OF_INFO: Final = 4
_VLEN_MASK: Final = 0xFFFF
_LOG_SIZE: Final = 64 * 1024
_LOG_SIZE_MAX: Final = 16 << 20
_LOG_LINES_SHOWN: Final = 3


def kernel_data(btf: Btf, functions: Iterable[FunctionSpec], data: bytes | None = None) -> bytes:
    """The blob to load: hidden functions become static ones.

    `data` is what to change instead of `btf`, if it begins with the same types.

    A global function is verified by itself, with any arguments its types allow, a static one only
    as it is called. "Hidden" asks for the latter: libbpf reads STV_HIDDEN so since 0.4.
    """
    hidden = [one for one in functions if one.is_hidden and one.is_global and one.func_info]
    data = btf.data if data is None else data
    if not hidden:
        return data
    changed = bytearray(data)
    moved = HEADER_BYTES - btf.header.type_off if data is not btf.data else 0
    for function in hidden:
        at = btf.record_offset(function.func_info[0].type_id) + moved + _OFFSET_OF_INFO
        (info,) = _INFO.unpack_from(changed, at)
        _INFO.pack_into(changed, at, info & ~_VLEN_MASK)  # BTF_FUNC_STATIC is 0
    return bytes(changed)


def load_btf(data: bytes) -> Fd:
    """Load type information, without the kinds this kernel lacks if it refuses it with them.

    Raises: SyscallError with the kernel's words as evidence.
    """
    try:
        return bpf_fd(btf_load(data, doing="load type information"))
    except SyscallError as err:
        refused = err
    if refused.errno != errno.EINVAL:
        raise refused
    from bpfctl.btf.sanitize import sanitize
    from bpfctl.loader.btf_kinds import missing_kinds

    missing = missing_kinds()
    if missing:
        # The layout section tells readers about kinds; a kernel that lacks some does not miss it.
        data = sanitize(data, missing | {"layout"})
    return _load_logged(data, refused)


def _load_logged(data: bytes, refused: SyscallError) -> Fd:
    """Load with a log, which lists the types up to the one that is refused.

    Only the end of a log says why, and before Linux 6.4 a log that does not fit lacks its end
    (ENOSPC): it grows until it fits.
    """
    size = _LOG_SIZE
    while True:
        log = bytearray(size)
        try:
            return bpf_fd(btf_load(data, log_level=1, log_buf=log, doing="load type information"))
        except SyscallError as err:
            if err.errno == errno.ENOSPC and size < _LOG_SIZE_MAX:
                size *= 4
                continue
        refused.code = BTF_REJECTED
        words = log.split(b"\0")[0].decode("utf-8", "replace").splitlines()
        refused.evidence += words[-_LOG_LINES_SHOWN:]
        raise refused from None
