// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses where preemption or sleep is concerned (Linux 6.10 to 6.12). */
#include "verifier.h"

extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern int bpf_copy_from_user_str(void *to, __u32 size, const void *from, __u64 flags) __ksym;

__u64 seen;

SEC("?raw_tp/sched_process_exec")
int preemption_never_back(void *ctx)
{
	bpf_preempt_disable();
	seen++;
	return 0;
}

SEC("?syscall")
int sleeps_without_preemption(void *ctx)
{
	__u64 word = 0;

	bpf_preempt_disable();
	bpf_copy_from_user(&word, sizeof(word), (void *)4096);
	bpf_preempt_enable();
	return 0;
}

SEC("?tp_btf/sched_process_exec")
int kfunc_sleeps(void *ctx)
{
	char text[16];

	return bpf_copy_from_user_str(text, sizeof(text), (void *)4096, 0);
}
