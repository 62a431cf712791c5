// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Not supported yet: variables and functions of the kernel. */
#include "bpf.h"
#include "kernel_types.h"

extern const void bpf_prog_fops SEC(".ksyms");
extern const void no_such_symbol SEC(".ksyms") __weak;
extern struct task_struct *bpf_task_from_pid(int pid) SEC(".ksyms");
extern void bpf_task_release(struct task_struct *task) SEC(".ksyms") __weak;

__u64 fops;

SEC("syscall")
int use_ksyms(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	fops = (__u64)&bpf_prog_fops + (__u64)&no_such_symbol;
	if (task)
		bpf_task_release(task);
	return 0;
}
