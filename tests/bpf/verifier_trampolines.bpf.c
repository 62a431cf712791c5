// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses, of types that need a trampoline. */
#include "verifier.h"
#include "kernel_types.h"

struct {
	__uint(type, MAP_STACK_TRACE);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 8);
} stacks SEC(".maps");

SEC("?lsm/file_open")
int hook_result(void *ctx)
{
	return 5;
}

SEC("?lsm.s/inode_free_security")
int hook_never_sleeps(void *ctx)
{
	return 0;
}

SEC("?fentry.s/schedule")
int function_never_sleeps(void *ctx)
{
	return 0;
}

SEC("?lsm.s/file_open")
int map_not_for_sleepers(void *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&stacks, &key) ? -1 : 0;
}

SEC("?fmod_ret/schedule")
int function_not_modifiable(void *ctx)
{
	return 0;
}

SEC("?fexit/wake_up_process")
int argument_of_function(__u64 *ctx)
{
	return (int)ctx[8];
}

SEC("?fentry/wake_up_process")
int function_task_written(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];

	task->pid = 1;
	return 0;
}
