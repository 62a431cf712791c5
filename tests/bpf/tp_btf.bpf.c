// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A tracepoint with typed arguments: task, old pid, binary. */
#include "bpf.h"
#include "kernel_types.h"

int last_pid;

SEC("tp_btf/sched_process_exec")
int on_exec_typed(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];

	last_pid = task->pid;
	return 0;
}
