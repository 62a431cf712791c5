// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program for each kind of probe, which counts how often one process comes by. */
#include "bpf.h"

__u64 who = 1; /* the beginning of the name of the thread that counts; 0: all */
struct {
	__u64 runs;
	__u64 cookies;
} seen;

static __always_inline int count(int result)
{
	__u64 name[2] = {};

	bpf_get_current_comm(name, sizeof(name));
	if (!who || name[0] == who)
		__sync_fetch_and_add(&seen.runs, 1);
	return result;
}

#define PROBE(section, name)                                                                       \
	SEC(section)                                                                               \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		return count(0);                                                                   \
	}

/* do_unlinkat went away in Linux 7.x; this one is in all. */
PROBE("fentry/vfs_unlink", on_fentry)
PROBE("fexit/vfs_unlink", on_fexit)
PROBE("fmod_ret/security_inode_unlink", on_fmod_ret)
PROBE("lsm/inode_unlink", on_lsm)
PROBE("fentry.multi", on_fentry_multi)
PROBE("?fexit.multi/vfs_unlin*", on_fexit_multi)
PROBE("kprobe", on_kprobe)
PROBE("kretprobe", on_kretprobe)
PROBE("kprobe.multi", on_kprobe_multi)
PROBE("kprobe.session", on_kprobe_session)
PROBE("uprobe", on_uprobe)
PROBE("uprobe.multi", on_uprobe_multi)
PROBE("uprobe.session", on_uprobe_session)
PROBE("perf_event", on_perf_event)

/* Returns 1: the operation is allowed. */
SEC("lsm_cgroup/inode_unlink")
int on_lsm_cgroup(void *ctx)
{
	return count(1);
}
