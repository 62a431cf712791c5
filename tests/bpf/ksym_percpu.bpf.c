// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A variable of the kernel that each CPU has, with its type. */
#include "bpf.h"
#include "kernel_types.h"

struct rq {
	unsigned int nr_running;
} __core;

extern const struct rq runqueues SEC(".ksyms");

int seen;

SEC("raw_tp/sched_switch")
int use_percpu(void *ctx)
{
	if (bpf_per_cpu_ptr(&runqueues, 0))
		seen = 1;
	return 0;
}
