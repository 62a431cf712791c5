// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Variables and functions of the kernel: with and without a type, there and not there. */
#include "bpf.h"
#include "kernel_types.h"

#define __ksym SEC(".ksyms")

extern const void schedule __ksym;
extern const void no_such_symbol __ksym __weak;
extern const int no_such_variable __ksym __weak;
extern struct task_struct *bpf_task_from_pid___flavor(int) __ksym;
extern void bpf_task_release(struct task_struct *) __ksym __weak;
extern int bpf_no_such_function(int) __ksym __weak;

__u64 address;
__u64 absent = 1;
int taken, released, called;

SEC("syscall")
int use_ksyms(void *ctx)
{
	struct task_struct *task;

	address = (__u64)&schedule;
	absent = (__u64)&no_such_symbol;
	if (&no_such_variable)
		absent = no_such_variable;
	if (bpf_no_such_function)
		called = bpf_no_such_function(1);
	task = bpf_task_from_pid___flavor(bpf_get_current_pid_tgid() >> 32);
	if (!task)
		return 0;
	taken++;
	bpf_task_release(task);
	if (bpf_task_release)
		released++;
	return 0;
}
