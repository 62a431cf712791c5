// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for kfuncs about tasks and locks of the kernel (Linux 6.2). */
#include "verifier.h"
#include "kernel_types.h"

extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

struct task_struct___waker {
	struct task_struct *last_wakee;
} __core;

__u64 seen;

#define PROGRAM(name)                                                                              \
	SEC("?tp_btf/task_newtask")                                                                \
	int name(__u64 *ctx)

PROGRAM(task_leaked)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (task)
		seen = task->pid;
	return 0;
}

PROGRAM(task_released_unchecked)
{
	struct task_struct *task = bpf_task_from_pid(1);

	bpf_task_release(task);
	return 0;
}

PROGRAM(task_result_unchecked)
{
	struct task_struct *task = bpf_task_from_pid(1);

	seen = task->pid;
	if (task)
		bpf_task_release(task);
	return 0;
}

PROGRAM(task_not_trusted)
{
	struct task_struct___waker *task = (void *)ctx[0];
	struct task_struct *other = bpf_task_acquire(task->last_wakee);

	if (other)
		bpf_task_release(other);
	return 0;
}

PROGRAM(task_released_twice)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (!task)
		return 0;
	bpf_task_release(task);
	bpf_task_release(task);
	return 0;
}

PROGRAM(kfunc_wrong_type)
{
	__u64 local = 0;
	struct task_struct *task = bpf_task_acquire((void *)&local);

	if (task)
		bpf_task_release(task);
	return 0;
}

PROGRAM(kfunc_number)
{
	struct task_struct *task = bpf_task_acquire((void *)bpf_get_current_task());

	if (task)
		bpf_task_release(task);
	return 0;
}

PROGRAM(rcu_never_unlocked)
{
	bpf_rcu_read_lock();
	seen++;
	return 0;
}

PROGRAM(rcu_unlocked_only)
{
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?syscall")
int sleeps_under_rcu(void *ctx)
{
	__u64 word = 0;

	bpf_rcu_read_lock();
	bpf_copy_from_user(&word, sizeof(word), (void *)4096);
	bpf_rcu_read_unlock();
	return 0;
}
