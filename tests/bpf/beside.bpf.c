// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Static functions beside programs instead of in .text (libbpf refuses them). */
#include "bpf.h"

static __noinline int in_text(int x)
{
	return x + 5;
}

static __noinline SEC("raw_tp/sched_process_exec") int same_section(int x)
{
	return in_text(x) + 1;
}

static __noinline SEC("raw_tp/sched_process_exit") int other_section(int x)
{
	return same_section(x) ^ 1;
}

SEC("raw_tp/sched_process_exec")
int neighbour(__u64 *ctx)
{
	int x = (int)ctx[0];

	return same_section(x) + other_section(x);
}
