// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads members that no kernel has: one without asking first, one after. */
#include "bpf.h"
#include "kernel_types.h"

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __core;

struct task_struct___gone {
	int tgidd;
	int no_such_member;
} __core;

SEC("iter/task")
int unguarded(struct bpf_iter__task *ctx)
{
	struct task_struct___gone *task = (void *)ctx->task;

	return task ? task->tgidd : 0;
}

SEC("iter/task")
int guarded(struct bpf_iter__task *ctx)
{
	struct task_struct___gone *task = (void *)ctx->task;

	if (task && __builtin_preserve_field_info(task->no_such_member, 2))
		return task->no_such_member;
	return 0;
}
