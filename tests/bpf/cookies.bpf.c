// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that keep the cookie they were attached with (Linux 5.15 and later). */
#include "bpf.h"

__u64 who = 1; /* the beginning of the name of the thread that counts */
struct {
	__u64 runs;
	__u64 cookies; /* their sum */
} seen;

static __u64 (*bpf_get_attach_cookie)(void *ctx) = (void *)174;

#define PROBE(section, name)                                                                       \
	SEC(section)                                                                               \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		__u64 name[2] = {};                                                                \
                                                                                                   \
		bpf_get_current_comm(name, sizeof(name));                                          \
		if (name[0] != who)                                                                \
			return 0;                                                                  \
		__sync_fetch_and_add(&seen.runs, 1);                                                    \
		__sync_fetch_and_add(&seen.cookies, bpf_get_attach_cookie(ctx));                        \
		return 0;                                                                          \
	}

PROBE("fentry/vfs_unlink", on_fentry)
PROBE("lsm/inode_unlink", on_lsm)
PROBE("kprobe", on_kprobe)
PROBE("kprobe.multi", on_kprobe_multi)
PROBE("uprobe", on_uprobe)
PROBE("uprobe.multi", on_uprobe_multi)
PROBE("tracepoint/sched/sched_process_fork", on_tracepoint)
PROBE("raw_tp/sched_process_fork", on_raw_tp)
PROBE("tp_btf/sched_process_fork", on_tp_btf)
