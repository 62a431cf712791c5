"""What `link create PROG` takes after the program: the forms, for the help and for errors."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ITER_FORM: Final = "iter [map MAP] [pid N] [tid N] [pidfd FD] [cgroup DIR|id N [order ORDER]]"
_ORDER: Final = "[first|last|before|after link|prog ID] [revision N]"
PROBE_FORMS: Final = {
    "kprobe": "kprobe FUNCTION[+OFFSET] [cookie N]",
    "kretprobe": "kretprobe FUNCTION [cookie N]",
    "kprobe.multi": "kprobe.multi PATTERN|FUNCTION[,FUNCTION...] [cookies N[,N...]]",
    "kretprobe.multi": "kretprobe.multi PATTERN|FUNCTION[,...] [cookies N[,N...]]",
    "kprobe.session": "kprobe.session PATTERN|FUNCTION[,...] [cookies N[,N...]]",
    "fentry.multi": "fentry.multi|fexit.multi|fsession.multi PATTERN|FUNCTION[,...] [cookies N,..]",
    "uprobe": "uprobe BINARY:FUNCTION[+OFFSET] [pid N] [cookie N]",
    "uretprobe": "uretprobe BINARY:FUNCTION [pid N] [cookie N]",
    "uprobe.multi": "uprobe.multi BINARY:PATTERN|FUNCTION[+OFFSET][,...] [pid N] [cookies N,..]",
    "uretprobe.multi": "uretprobe.multi BINARY:PATTERN|FUNCTION[,...] [pid N] [cookies N[,N...]]",
    "uprobe.session": "uprobe.session BINARY:PATTERN|FUNCTION[,...] [pid N] [cookies N[,N...]]",
    "usdt": "usdt BINARY:PROVIDER:NAME [pid N] [cookie N]",
    "ksyscall": "ksyscall NAME [cookie N]",
    "kretsyscall": "kretsyscall NAME [cookie N]",
    "perf_event": "perf_event EVENT freq N|period N cpu N|all|pid N [cookie N]",
}
FORMS: Final = {
    "fentry": "fentry|fexit|fsession|fmod_ret|lsm|tp_btf [cookie N]",
    "freplace": "freplace [PROG FUNCTION]",
    "raw_tracepoint": "raw_tracepoint NAME [cookie N]",
    "tracepoint": "tracepoint CATEGORY/NAME [cookie N]",
    **PROBE_FORMS,
    "cgroup": f"cgroup DIR ATTACH_TYPE {_ORDER} [preorder]",
    "xdp": "xdp dev NAME [generic|driver|offload]",
    "tcx": f"tcx ingress|egress dev NAME {_ORDER}",
    "netkit": f"netkit primary|peer dev NAME {_ORDER}",
    "netns": "netns sk_lookup|flow_dissector [NAME|PATH]",
    "netfilter": "netfilter ipv4|ipv6 HOOK [priority N] [defrag]",
    "sockmap": "sockmap MAP msg_verdict|stream_parser|stream_verdict|verdict",
    "iter": ITER_FORM,
}
