"""Let links run other programs."""

from __future__ import annotations

import errno

from bpfctl.errors import BpfctlError, SyscallError
from bpfctl.kernel.attr_link import link_update
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.flags import AttachFlags
from bpfctl.kernel.uapi import LinkType
from bpfctl.objects.link import link_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.kernel.fd import Fd

# Kinds that can (`.update_prog` of their bpf_link_ops, Linux 6.18).
_UPDATABLE: Final = frozenset(
    {
        LinkType.CGROUP,
        LinkType.ITER,
        LinkType.NETNS,
        LinkType.XDP,
        LinkType.TCX,
        LinkType.NETKIT,
        LinkType.SOCKMAP,
        LinkType.STRUCT_OPS,
    }
)


def update(link: Fd, program: Fd, expected: Fd | None = None) -> None:
    """Have a link run another program from now on, without a moment in which none runs.

    A link of struct_ops takes another map instead of a program (Linux 6.4).

    With `expected` the link must run that program until then.
    Raises: SyscallError (EINVAL: a kind that cannot, or a program of another type; EPERM and
    ENOENT: another than the expected one runs; ENOLINK: the link is detached).
    Source: BPF_LINK_UPDATE, Linux 5.7.
    """
    flags = AttachFlags.REPLACE if expected else 0
    try:
        bpf(link_update(link, program, flags=flags, old_prog_fd=expected or 0))
    except SyscallError as err:
        _explain(err, link, expected)
        raise


def _explain(err: SyscallError, link: Fd, expected: Fd | None) -> None:
    try:
        info = link_info(link)
    except BpfctlError:
        return
    kind = f"link {info.id} is of type {info.type_name}"
    if err.errno in (errno.EINVAL, errno.EOPNOTSUPP) and info.type not in _UPDATABLE:
        err.code = "link-update-unsupported"
        err.evidence.append(f"{kind}, which the kernel cannot update")
        err.remedy = "make a link for the other program, then let go of this one"
    elif expected is not None and err.errno in (errno.EPERM, errno.ENOENT):
        err.code = "link-update-other-program"
        err.evidence.append(f"link {info.id} runs program {info.prog_id}")
    elif err.errno == errno.ENOLINK:
        err.evidence.append(f"link {info.id} is detached")
    elif err.errno == errno.EINVAL:
        err.evidence.append(f"{kind} and runs program {info.prog_id}")
        err.candidates.append("the program is of another type or was loaded for another place")
