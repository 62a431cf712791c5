// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The object that `bpfctl demo` loads: who executes programs, and which tasks there are. */
#include "bpf.h"
#include "kernel_types.h"

struct exec_count {
	__u64 count;
	char comm[16];
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct exec_count);
} execs SEC(".maps");

/* Counts by thread group; once the map is full, newcomers are not counted. */
SEC("raw_tp/sched_process_exec")
int on_exec(void *ctx)
{
	struct exec_count fresh = {.count = 1};
	struct exec_count *known;
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	known = bpf_map_lookup_elem(&execs, &tgid);
	if (known) {
		__sync_fetch_and_add(&known->count, 1);
		bpf_get_current_comm(known->comm, sizeof(known->comm));
		return 0;
	}
	bpf_get_current_comm(fresh.comm, sizeof(fresh.comm));
	bpf_map_update_elem(&execs, &tgid, &fresh, 0);
	return 0;
}

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __core;

SEC("iter/task")
int dump_task(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;

	if (!task)
		return 0;
	if (ctx->meta->seq_num == 0)
		seq_text(seq, "    TGID      PID  COMM\n");
	seq_print(seq, "%8d %8d  %s\n", task->tgid, task->pid, (__u64)task->comm);
	return 0;
}
