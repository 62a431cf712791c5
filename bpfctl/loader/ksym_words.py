"""Say what provides a symbol that this kernel does not have, as far as that is known. Pure."""

from __future__ import annotations

import re

from bpfctl.btf.types import Kind
from bpfctl.loader.extern_result import Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.decode import Btf

# The option that builds the kfuncs whose names match, first match first. Source: the files that
# register them (register_btf_kfunc_id_set) and their Makefiles, Linux 6.18.
_OPTIONS: Final = tuple(
    (re.compile(pattern), option)
    for pattern, option in (
        (r"bpf_testmod_|bpf_kfunc_call_|bpf_iter_testmod_", "module bpf_testmod of the selftests"),
        (r"scx_bpf_|__scx_|scx_", "CONFIG_SCHED_CLASS_EXT"),
        (r"hid_bpf_", "CONFIG_HID_BPF"),
        (r"bpf_qdisc_|bpf_kfree_skb$|bpf_skb_get_hash$", "CONFIG_NET_SCH_BPF"),
        (r"bpf_(xdp|skb)_ct_|bpf_ct_", "CONFIG_NF_CONNTRACK"),
        (r"bpf_xdp_flow_lookup", "CONFIG_NF_FLOW_TABLE"),
        (r"bpf_(skb_[gs]et_fou_encap)", "CONFIG_NET_FOU"),
        (r"bpf_xdp_get_xfrm_|bpf_xdp_xfrm_|bpf_skb_[gs]et_xfrm_", "CONFIG_XFRM"),
        (r"bpf_xdp_metadata_", "CONFIG_NET"),
        (r"bpf_crypto_", "CONFIG_CRYPTO"),
        (r"bpf_get_fsverity_digest", "CONFIG_FS_VERITY"),
        (r"bpf_verify_pkcs7_signature", "CONFIG_SYSTEM_DATA_VERIFICATION"),
        (r"bpf_lookup_(user|system)_key|bpf_key_put", "CONFIG_KEYS"),
        (r"bpf_(get|set|remove)_(file|dentry)_xattr|bpf_path_d_path", "CONFIG_BPF_LSM"),
        (r"bpf_get_task_exe_file|bpf_put_file", "CONFIG_BPF_LSM"),
        (r"bpf_(task_get_|task_under_)?cgroup|cgroup_rstat_|bpf_iter_css", "CONFIG_CGROUPS"),
        (r"bpf_(get_)?mem_cgroup_|bpf_(get|put)_mem_cgroup", "CONFIG_MEMCG"),
        (r"bpf_session_", "CONFIG_FPROBE"),
        (r"bbr_", "CONFIG_TCP_CONG_BBR"),
        (r"dctcp_", "CONFIG_TCP_CONG_DCTCP"),
        (r"cubictcp_", "CONFIG_TCP_CONG_CUBIC"),
        (r"crash_kexec", "CONFIG_CRASH_DUMP"),
    )
)
_NEAREST: Final = 3
_SIMILAR: Final = 0.8
_PREFIX: Final = 4  # bytes that names must share to be compared: a kernel has 100,000


def option_for(name: str) -> str | None:
    """The kernel option that comes with a kernel function; None when we do not know."""
    return next((option for pattern, option in _OPTIONS if pattern.match(name)), None)


def missing_function(name: str, btf: Btf) -> Missing:
    """Word a function that neither vmlinux nor a loaded module has."""
    return Missing(
        "is no function of this kernel or a loaded module",
        option=option_for(name),
        nearest=similar(btf, name, Kind.FUNC),
    )


def missing_variable(name: str, btf: Btf) -> Missing:
    """Word a variable that neither vmlinux nor a loaded module shows."""
    evidence = "is no variable in the types of this kernel or a loaded module"
    nearest = similar(btf, name, Kind.VAR)
    if btf.find(name, Kind.FUNC) is not None:
        evidence += ", but a function"
    return Missing(evidence, nearest=nearest)


def missing_symbol() -> Missing:
    """Word a symbol that /proc/kallsyms does not list."""
    words = "is no symbol in /proc/kallsyms, which has variables only with CONFIG_KALLSYMS_ALL"
    return Missing(words)


def similar(btf: Btf, name: str, kind: Kind) -> tuple[str, ...]:
    """Names of that kind in the kernel's types that resemble `name` and begin alike."""
    start = btf.header.str_off
    strings = bytes(btf.data[start : start + btf.header.str_len])
    wanted = re.escape(name[:_PREFIX].encode("utf-8", "surrogateescape"))
    found = re.findall(rb"\0" + wanted + rb"[^\0]*", strings)
    pool = {one[1:].decode("utf-8", "replace") for one in found}
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(pool), _NEAREST * 4, _SIMILAR)
    return tuple([one for one in close if btf.find(one, kind) is not None][:_NEAREST])
