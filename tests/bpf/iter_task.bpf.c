// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf.h"
#include "kernel_types.h"

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __core;

SEC("iter/task")
int each_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		seq_print(ctx->meta->seq, "%d %s\n", task->pid, (__u64)task->comm);
	return 0;
}
