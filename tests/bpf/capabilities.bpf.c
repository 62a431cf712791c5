// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program of each type, as small as can be: what a load needs depends on the type alone. */
#include "bpf.h"

#define PROGRAM(name, section, result)                                                             \
	SEC(section) int name(void *ctx)                                                           \
	{                                                                                          \
		return result;                                                                     \
	}

PROGRAM(socket_filter, "socket", 0)
PROGRAM(cgroup_skb, "cgroup_skb/egress", 1)
PROGRAM(reuseport, "sk_reuseport", 1)
PROGRAM(lookup, "sk_lookup", 1)
PROGRAM(cgroup_dev, "cgroup/dev", 1)
PROGRAM(cgroup_sock, "cgroup/sock_create", 1)
PROGRAM(cgroup_connect, "cgroup/connect4", 1)
PROGRAM(cgroup_sysctl, "cgroup/sysctl", 1)
PROGRAM(cgroup_sockopt, "cgroup/setsockopt", 1)
PROGRAM(sock_ops, "sockops", 1)
PROGRAM(xdp_pass, "xdp", 2)
PROGRAM(tc_pass, "tcx/ingress", -1)
PROGRAM(tunnel, "lwt_out", 0)
PROGRAM(stream, "sk_skb/stream_verdict", 1)
PROGRAM(message, "sk_msg", 1)
PROGRAM(dissect, "flow_dissector", 0)
PROGRAM(filter, "netfilter", 1)
PROGRAM(probe, "kprobe/vfs_unlink", 0)
PROGRAM(event, "tracepoint/sched/sched_process_exec", 0)
PROGRAM(counter, "perf_event", 0)
PROGRAM(raw, "raw_tp/sched_process_exec", 0)
PROGRAM(typed, "tp_btf/sched_process_exec", 0)
PROGRAM(entry, "fentry/vfs_unlink", 0)
PROGRAM(hook, "lsm/file_open", 0)
PROGRAM(tasks, "iter/task", 0)
PROGRAM(run, "syscall", 0)
