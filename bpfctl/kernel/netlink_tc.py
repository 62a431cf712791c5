"""What rtnetlink tells of BPF filters of tc.

Source: include/uapi/linux/rtnetlink.h (struct tcmsg) and pkt_cls.h (TCA_BPF_ID), Linux 4.12.
"""

from __future__ import annotations

import struct

from bpfctl.kernel.netlink import NUMBER, attributes, dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_RTM_NEWTFILTER, _RTM_GETTFILTER = 44, 46
_TCA_OPTIONS: Final = 2
_TCA_BPF_ID: Final = 11
_MESSAGE: Final = struct.Struct("=BxHiIII")  # tcmsg: family, pad, index, handle, parent, info


def filter_programs(ifindex: int, parent: int) -> list[int]:
    """Return the ids of the programs that are filters of a queueing discipline.

    `parent` is its handle, or a side of clsact. Raises: SyscallError.
    """
    body = _MESSAGE.pack(0, 0, ifindex, 0, parent, 0)
    found = dump(_RTM_GETTFILTER, body, _RTM_NEWTFILTER, "list the filters of tc")
    return [number for one in found if (number := _program(one))]


def _program(message: bytes) -> int:
    """Return the id in one message; 0 for a filter that is no program."""
    options = attributes(attributes(message[_MESSAGE.size :]).get(_TCA_OPTIONS, b""))
    value = options.get(_TCA_BPF_ID, b"")
    return int(NUMBER.unpack(value)[0]) if len(value) == NUMBER.size else 0
