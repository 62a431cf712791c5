// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf.h"
#include "kernel_types.h"

struct kernfs_node {
	__u64 id;
} __core;

struct cgroup {
	struct kernfs_node *kn;
	int level;
} __core;

struct bpf_iter__cgroup {
	struct bpf_iter_meta *meta;
	struct cgroup *cgroup;
} __core;

SEC("iter/cgroup")
int each_cgroup(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;

	if (!cgroup)
		return 0;
	seq_print(ctx->meta->seq, "%llu %d\n", cgroup->kn->id, cgroup->level);
	return 0;
}
