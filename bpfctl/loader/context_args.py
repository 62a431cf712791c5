"""The tag `arg:ctx` for kernels that do not know it.

A global function is verified by itself, so that its arguments' types must tell what they are. The
tag says of any pointer that it is the program's context (Linux 6.8). Older kernels know a context
by the name of the struct it points to: each such function gets a prototype that names it.
Source: btf_is_prog_ctx_type(), kernel/bpf/btf.c, and include/linux/bpf_types.h, Linux 6.7.
"""

from __future__ import annotations

from struct import Struct

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.layout import HEADER_BYTES, MAGIC, VERSION
from bpfctl.elf.decl_tags import function_tags, is_global_function
from bpfctl.kernel.uapi import ProgType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.btf.decode import Btf

TAG: Final = "arg:ctx"
_SKB: Final = "__sk_buff"
CONTEXTS: Final = {
    ProgType.CGROUP_DEVICE: "bpf_cgroup_dev_ctx",
    ProgType.CGROUP_SKB: _SKB,
    ProgType.CGROUP_SOCK: "bpf_sock",
    ProgType.CGROUP_SOCK_ADDR: "bpf_sock_addr",
    ProgType.CGROUP_SOCKOPT: "bpf_sockopt",
    ProgType.CGROUP_SYSCTL: "bpf_sysctl",
    ProgType.FLOW_DISSECTOR: _SKB,
    ProgType.KPROBE: "bpf_user_pt_regs_t",
    ProgType.LWT_IN: _SKB,
    ProgType.LWT_OUT: _SKB,
    ProgType.LWT_SEG6LOCAL: _SKB,
    ProgType.LWT_XMIT: _SKB,
    ProgType.NETFILTER: "bpf_nf_ctx",
    ProgType.PERF_EVENT: "bpf_perf_event_data",
    ProgType.RAW_TRACEPOINT: "bpf_raw_tracepoint_args",
    ProgType.RAW_TRACEPOINT_WRITABLE: "bpf_raw_tracepoint_args",
    ProgType.SCHED_ACT: _SKB,
    ProgType.SCHED_CLS: _SKB,
    ProgType.SK_LOOKUP: "bpf_sk_lookup",
    ProgType.SK_MSG: "sk_msg_md",
    ProgType.SK_REUSEPORT: "sk_reuseport_md",
    ProgType.SK_SKB: _SKB,
    ProgType.SOCKET_FILTER: _SKB,
    ProgType.SOCK_OPS: "bpf_sock_ops",
    ProgType.XDP: "xdp_md",
}
_HEADER: Final = Struct("<HBBIIIII")
_TYPE_LEN: Final = Struct("<I")
_OFFSET_OF_TYPE_LEN: Final = 12


def named_contexts(
    btf: Btf, functions: Iterable[int], prog_type: int
) -> tuple[bytes, dict[int, int]] | None:
    """Types in which the contexts of these functions have their names.

    Gives the blob, the object's types with further ones behind them, and by the type id of a
    function that of the one to name instead; None where nothing is to be changed. `functions` are
    the type ids of a program's functions, `prog_type` is its type.
    """
    name = CONTEXTS.get(ProgType(prog_type)) if prog_type in set(ProgType) else None
    arguments = _tagged(btf, set(functions)) if name else {}
    if not name or not arguments:
        return None
    builder = BtfBuilder(first_id=len(btf), first_string=btf.header.str_len)
    context = builder.add(t.Ptr(0, "", builder.add(t.Struct(0, name, 0, ()))))
    instead = {
        func_id: _clone(btf, builder, func_id, numbers, context)
        for func_id, numbers in arguments.items()
    }
    return _joined(btf, builder), instead


def _tagged(btf: Btf, functions: set[int]) -> dict[int, set[int]]:
    """Which arguments of which functions are contexts; only global functions matter."""
    found: dict[int, set[int]] = {}
    for tag in function_tags(btf):
        if tag.name != TAG or tag.type_id not in functions:
            continue
        known = tag.component_idx in range(len(btf.func_proto(tag.type_id).params))
        if known and is_global_function(btf, tag.type_id):
            found.setdefault(tag.type_id, set()).add(tag.component_idx)
    return found


def _clone(btf: Btf, builder: BtfBuilder, func_id: int, contexts: set[int], context: int) -> int:
    """Add a function like `func_id` with other types of arguments, and give its id."""
    proto, func = btf.func_proto(func_id), btf.type(func_id)
    assert isinstance(func, t.Func)
    params = tuple(
        t.Param(one.name, context if number in contexts else one.type_id)
        for number, one in enumerate(proto.params)
    )
    proto_id = builder.add(t.FuncProto(0, "", proto.return_type_id, params))
    return builder.add(t.Func(0, func.name, proto_id, func.linkage))


def _joined(btf: Btf, builder: BtfBuilder) -> bytes:
    """The object's types and those of the builder in one blob."""
    header, more = btf.header, builder.build()
    (length,) = _TYPE_LEN.unpack_from(more, _OFFSET_OF_TYPE_LEN)
    types = btf.data[header.type_off : header.type_off + header.type_len]
    strings = btf.data[header.str_off : header.str_off + header.str_len]
    types += more[HEADER_BYTES : HEADER_BYTES + length]
    strings += more[HEADER_BYTES + length :]
    spans = (HEADER_BYTES, 0, len(types), len(types), len(strings))
    return _HEADER.pack(MAGIC, VERSION, 0, *spans) + types + strings
