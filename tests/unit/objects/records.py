"""Records as the kernel would have us make them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bpfctl.objects.prog import ProgInfo

if TYPE_CHECKING:
    from bpfctl.kernel.uapi import ProgType


def prog(kind: ProgType | int, **fields: Any) -> ProgInfo:
    """Return a program called guard, of which nothing much is known."""
    info = ProgInfo(
        id=60, type=kind, name="guard", kernel_name="guard", tag="", gpl_compatible=True,
        loaded_at=None, uid=None, bytes_xlated=16, bytes_jited=0, bytes_memlock=None, map_ids=(),
        btf_id=None, ifindex=0, run_time_ns=None, run_cnt=None, recursion_misses=None,
        verified_insns=None, attach_btf_obj_id=None, attach_btf_id=None,
    )  # fmt: skip
    return replace(info, **fields)
