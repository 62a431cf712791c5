// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for what they do with objects of the kernel. */
#include "verifier.h"
#include "kernel_types.h"

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __core;

__u64 seen;

SEC("?iter/task")
int task_unchecked(struct bpf_iter__task *ctx)
{
	seen = ctx->task->pid;
	return 0;
}

SEC("?iter/task")
int task_written(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		task->pid = 1;
	return 0;
}

SEC("?iter/task")
int task_beyond(struct bpf_iter__task *ctx)
{
	char *task = (char *)ctx->task;

	if (task)
		seen = *(__u64 *)(task + 32000);
	return 0;
}

SEC("?iter/task")
int task_by_index(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		seen = task->comm[seen & 15];
	return 0;
}

SEC("?iter/task")
int task_before(struct bpf_iter__task *ctx)
{
	char *task = (char *)ctx->task;

	if (task)
		seen = *(__u64 *)(task - 8);
	return 0;
}

SEC("?iter/task")
int iterator_context_beyond(struct bpf_iter__task *ctx)
{
	seen = ((__u64 *)ctx)[9];
	return 0;
}

SEC("?tp_btf/sched_process_exec")
int argument_beyond(__u64 *ctx)
{
	seen = ctx[11];
	return 0;
}

SEC("?tp_btf/sched_process_exec")
int argument_written(__u64 *ctx)
{
	ctx[0] = 0;
	return 0;
}

SEC("?iter/task")
int iterator_result(struct bpf_iter__task *ctx)
{
	return 2;
}
