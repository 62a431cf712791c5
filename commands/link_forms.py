"""What `link create PROG` takes after the program: the forms, for the help and for errors."""

from __future__ import annotations

from typing import Final

ITER_FORM: Final = "iter [map MAP] [pid N] [tid N] [cgroup DIR [order ORDER]]"
PROBE_FORMS: Final = {
    "kprobe": "kprobe FUNCTION[+OFFSET] [cookie N]",
    "kretprobe": "kretprobe FUNCTION [cookie N]",
    "kprobe.multi": "kprobe.multi PATTERN|FUNCTION[,FUNCTION...] [cookies N[,N...]]",
    "kretprobe.multi": "kretprobe.multi PATTERN|FUNCTION[,...] [cookies N[,N...]]",
    "kprobe.session": "kprobe.session PATTERN|FUNCTION[,...] [cookies N[,N...]]",
    "uprobe": "uprobe BINARY:FUNCTION[+OFFSET] [pid N] [cookie N]",
    "uretprobe": "uretprobe BINARY:FUNCTION [pid N] [cookie N]",
    "uprobe.multi": "uprobe.multi BINARY:PATTERN|FUNCTION[,...] [pid N] [cookies N[,N...]]",
    "uretprobe.multi": "uretprobe.multi BINARY:PATTERN|FUNCTION[,...] [pid N] [cookies N[,N...]]",
    "uprobe.session": "uprobe.session BINARY:PATTERN|FUNCTION[,...] [pid N] [cookies N[,N...]]",
    "perf_event": "perf_event EVENT freq N|period N cpu N|pid N [cookie N]",
}
FORMS: Final = {
    "fentry": "fentry|fexit|fsession|fmod_ret|lsm|tp_btf [cookie N]",
    "freplace": "freplace [PROG FUNCTION]",
    "raw_tracepoint": "raw_tracepoint NAME [cookie N]",
    "tracepoint": "tracepoint CATEGORY/NAME [cookie N]",
    **PROBE_FORMS,
    "cgroup": "cgroup DIR ATTACH_TYPE",
    "xdp": "xdp dev NAME [generic|driver|offload]",
    "tcx": "tcx ingress|egress dev NAME [first|last|before|after link|prog ID]",
    "iter": ITER_FORM,
}
