"""What rtnetlink tells of tc: queueing disciplines, classes, and BPF filters of both.

Source: include/uapi/linux/rtnetlink.h (struct tcmsg), pkt_cls.h (TCA_BPF_*, TCA_BPF_ID since Linux
4.12), pkt_sched.h and tc_act/tc_bpf.h.
"""

from __future__ import annotations

import struct

from bpfctl.kernel.netlink import NUMBER, attribute, attributes, dump
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Final

# include/uapi/linux/pkt_sched.h: the two sides of the clsact queueing discipline (Linux 4.5).
INGRESS: Final = 0xFFFFFFF2
EGRESS: Final = 0xFFFFFFF3
SIDES: Final = {INGRESS: "ingress", EGRESS: "egress"}
ROOT: Final = 0xFFFFFFFF

_RTM_NEWQDISC, _RTM_GETQDISC = 36, 38
_RTM_NEWTCLASS, _RTM_GETTCLASS = 40, 42
_RTM_NEWTFILTER, _RTM_GETTFILTER = 44, 46
_RTM_GETACTION: Final = 50
_TCA_KIND, _TCA_OPTIONS = 1, 2
_TCA_BPF_ACT, _TCA_BPF_NAME, _TCA_BPF_FLAGS, _TCA_BPF_ID = 1, 7, 8, 11
_TCA_ACT_KIND, _TCA_ACT_OPTIONS = 1, 2
_TCA_ACT_BPF_PARMS, _TCA_ACT_BPF_NAME, _TCA_ACT_BPF_ID = 2, 6, 9
_TCA_ACT_TAB: Final = 1
_FLAG_ACT_DIRECT: Final = 1  # TCA_BPF_FLAG_ACT_DIRECT
_MESSAGE: Final = struct.Struct("=BxHiIII")  # tcmsg: family, pad, index, handle, parent, info
_ACTIONS: Final = struct.Struct("=BxH")  # tcamsg: family, pad
_PARMS: Final = struct.Struct("=IIiii")  # tc_act_bpf: index, capab, action, refcnt, bindcnt


@plain
class Class:
    """A queueing discipline, or a class of one: filters hang on both, by the `handle`."""

    ifindex: int
    kind: str
    handle: int


@plain
class Action:
    """A program that filters run as an action: `bound` of them the action of that `index`."""

    prog_id: int
    name: str
    index: int = 0
    bound: int = 0


@plain
class Filter:
    """A BPF filter. `prog_id` is 0 where a filter has no program of its own but actions."""

    ifindex: int
    parent: int
    priority: int
    handle: int
    prog_id: int
    name: str
    direct_action: bool = True
    actions: tuple[Action, ...] | None = None


def qdiscs() -> list[Class]:
    """Return the queueing disciplines of all interfaces here. Raises: SyscallError."""
    body = _MESSAGE.pack(0, 0, 0, 0, 0, 0)
    found = dump(_RTM_GETQDISC, body, _RTM_NEWQDISC, "list the queueing disciplines")
    return [_class(one) for one in found]


def classes(ifindex: int) -> list[Class]:
    """Return the classes of the queueing disciplines of an interface. Raises: SyscallError."""
    body = _MESSAGE.pack(0, 0, ifindex, 0, 0, 0)
    found = dump(_RTM_GETTCLASS, body, _RTM_NEWTCLASS, "list the classes of tc")
    return [_class(one) for one in found]


def sides(kinds: Collection[str]) -> list[int]:
    """Return the sides that filters can be at, by the kinds of an interface's disciplines.

    The older kind ingress has one list, which it shows for either.
    """
    if "clsact" in kinds:
        return [*SIDES]
    return [INGRESS] if "ingress" in kinds else []


def filters(ifindex: int, parent: int) -> list[Filter]:
    """Return the BPF filters of a queueing discipline or class, in the order they run.

    `parent` is its handle, or a side of clsact. Raises: SyscallError.
    """
    body = _MESSAGE.pack(0, 0, ifindex, 0, parent, 0)
    found = dump(_RTM_GETTFILTER, body, _RTM_NEWTFILTER, "list the filters of tc")
    return [one for message in found if (one := _filter(message))]


def priorities(ifindex: int, parent: int) -> list[int]:
    """Return the priorities that filters of any kind have there. Raises: SyscallError."""
    body = _MESSAGE.pack(0, 0, ifindex, 0, parent, 0)
    found = dump(_RTM_GETTFILTER, body, _RTM_NEWTFILTER, "list the filters of tc")
    return [_MESSAGE.unpack_from(message)[5] >> 16 for message in found]


def filter_programs(ifindex: int, parent: int) -> list[int]:
    """Return the ids of the programs that filters there run. Raises: SyscallError."""
    found = []
    for one in filters(ifindex, parent):
        found += [one.prog_id] if one.prog_id else []
        found += [action.prog_id for action in one.actions or ()]
    return found


def actions() -> list[Action]:
    """Return the programs that are actions here, whatever filters use them. Raises: SyscallError.

    There are none where the module of such actions is not loaded.
    """
    kind = attribute(_TCA_ACT_TAB, attribute(1, attribute(_TCA_ACT_KIND, b"bpf\0")))
    body = _ACTIONS.pack(0, 0) + kind
    # tc_dump_action(), net/sched/act_api.c, answers with the type of the request.
    found = dump(_RTM_GETACTION, body, _RTM_GETACTION, "list the actions of tc")
    tables = [attributes(one[_ACTIONS.size :]).get(_TCA_ACT_TAB, b"") for one in found]
    return [action for table in tables for action in _actions(table)]


def _class(message: bytes) -> Class:
    _, _, ifindex, handle, _, _ = _MESSAGE.unpack_from(message)
    return Class(ifindex, _text(attributes(message[_MESSAGE.size :]), _TCA_KIND), handle)


def _filter(message: bytes) -> Filter | None:
    """Read one message; None for a filter that is no program, or the head of a list of them."""
    _, _, ifindex, handle, parent, info = _MESSAGE.unpack_from(message)
    fields = attributes(message[_MESSAGE.size :])
    if _text(fields, _TCA_KIND) != "bpf" or not handle:
        return None
    options = attributes(fields.get(_TCA_OPTIONS, b""))
    actions = tuple(_actions(options[_TCA_BPF_ACT])) if _TCA_BPF_ACT in options else None
    return Filter(
        ifindex,
        parent,
        info >> 16,
        handle,
        _number(options, _TCA_BPF_ID),
        _text(options, _TCA_BPF_NAME),
        bool(_number(options, _TCA_BPF_FLAGS) & _FLAG_ACT_DIRECT),
        actions,
    )


def _actions(data: bytes) -> Iterator[Action]:
    """Yield the actions that are programs; others have no id."""
    for one in attributes(data).values():
        fields = attributes(one)
        options = attributes(fields.get(_TCA_ACT_OPTIONS, b""))
        if _text(fields, _TCA_ACT_KIND) == "bpf" and _TCA_ACT_BPF_ID in options:
            parms = options.get(_TCA_ACT_BPF_PARMS, b"").ljust(_PARMS.size, b"\0")
            index, _, _, _, bound = _PARMS.unpack_from(parms)
            name = _text(options, _TCA_ACT_BPF_NAME)
            yield Action(_number(options, _TCA_ACT_BPF_ID), name, index, bound)


def _number(fields: dict[int, bytes], kind: int) -> int:
    value = fields.get(kind, b"")
    return int(NUMBER.unpack(value)[0]) if len(value) == NUMBER.size else 0


def _text(fields: dict[int, bytes], kind: int) -> str:
    return fields.get(kind, b"").partition(b"\0")[0].decode(errors="replace")
