"""Short words for attach types, as people and bpftool's command line say them."""

from __future__ import annotations

from bpfctl.kernel.names import label, number
from bpfctl.kernel.uapi import AttachType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_CGROUP: Final = {
    "ingress": AttachType.CGROUP_INET_INGRESS,
    "egress": AttachType.CGROUP_INET_EGRESS,
    "sock_create": AttachType.CGROUP_INET_SOCK_CREATE,
    "sock_release": AttachType.CGROUP_INET_SOCK_RELEASE,
    "sock_ops": AttachType.CGROUP_SOCK_OPS,
    "device": AttachType.CGROUP_DEVICE,
    "bind4": AttachType.CGROUP_INET4_BIND,
    "bind6": AttachType.CGROUP_INET6_BIND,
    "connect4": AttachType.CGROUP_INET4_CONNECT,
    "connect6": AttachType.CGROUP_INET6_CONNECT,
    "connect_unix": AttachType.CGROUP_UNIX_CONNECT,
    "post_bind4": AttachType.CGROUP_INET4_POST_BIND,
    "post_bind6": AttachType.CGROUP_INET6_POST_BIND,
    "getpeername4": AttachType.CGROUP_INET4_GETPEERNAME,
    "getpeername6": AttachType.CGROUP_INET6_GETPEERNAME,
    "getpeername_unix": AttachType.CGROUP_UNIX_GETPEERNAME,
    "getsockname4": AttachType.CGROUP_INET4_GETSOCKNAME,
    "getsockname6": AttachType.CGROUP_INET6_GETSOCKNAME,
    "getsockname_unix": AttachType.CGROUP_UNIX_GETSOCKNAME,
    "sendmsg4": AttachType.CGROUP_UDP4_SENDMSG,
    "sendmsg6": AttachType.CGROUP_UDP6_SENDMSG,
    "sendmsg_unix": AttachType.CGROUP_UNIX_SENDMSG,
    "recvmsg4": AttachType.CGROUP_UDP4_RECVMSG,
    "recvmsg6": AttachType.CGROUP_UDP6_RECVMSG,
    "recvmsg_unix": AttachType.CGROUP_UNIX_RECVMSG,
    "sysctl": AttachType.CGROUP_SYSCTL,
    "getsockopt": AttachType.CGROUP_GETSOCKOPT,
    "setsockopt": AttachType.CGROUP_SETSOCKOPT,
    "lsm_cgroup": AttachType.LSM_CGROUP,
}
_OTHERS: Final = {
    "tp_btf": AttachType.TRACE_RAW_TP,
    "fentry": AttachType.TRACE_FENTRY,
    "fexit": AttachType.TRACE_FEXIT,
    "fsession": AttachType.TRACE_FSESSION,
    "fentry.multi": AttachType.TRACE_FENTRY_MULTI,
    "fexit.multi": AttachType.TRACE_FEXIT_MULTI,
    "fsession.multi": AttachType.TRACE_FSESSION_MULTI,
    "fmod_ret": AttachType.MODIFY_RETURN,
    "lsm": AttachType.LSM_MAC,
    "iter": AttachType.TRACE_ITER,
}
_WORDS: Final[dict[int, str]] = {
    number: word for words in (_CGROUP, _OTHERS) for word, number in words.items()
}


def attach_word(attach_type: int) -> str:
    """Return the short word ("connect4"), else the UAPI's ("sk_lookup"), else the number."""
    return _WORDS.get(attach_type) or str(label(AttachType, attach_type))


def cgroup_attach_words() -> list[str]:
    """Return the words for what a cgroup can run programs on."""
    return list(_CGROUP)


def cgroup_attach_type(word: str) -> int | None:
    """Return the attach type of a word ("connect4", "cgroup_inet4_connect"), None if unknown.

    Only types that a cgroup takes.
    """
    found = _CGROUP.get(word) or number(AttachType, word.removeprefix("BPF_"))
    if word == "ingress" or found == AttachType.CGROUP_INET_INGRESS:  # which is 0
        return AttachType.CGROUP_INET_INGRESS
    return found if found in _CGROUP.values() else None
