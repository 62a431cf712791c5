// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A function of the kernel (Linux 6.2), and what to do without it: no kernel has that either. */
#include "bpf.h"

#define __ksym SEC(".ksyms")

extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;
extern void bpf_no_such_fallback(void) __ksym __weak;

SEC("syscall")
int new_or_old(void *ctx)
{
	if (bpf_rcu_read_lock) {
		bpf_rcu_read_lock();
		bpf_rcu_read_unlock();
	} else {
		bpf_no_such_fallback();
	}
	return 0;
}
