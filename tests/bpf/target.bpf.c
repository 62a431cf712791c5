// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program with a global function that another program may replace. */
#include "bpf.h"

struct xdp_md {
	__u32 data;
};

__noinline int decide(struct xdp_md *ctx)
{
	volatile int verdict = 2;

	return verdict;
}

SEC("xdp")
int packets(struct xdp_md *ctx)
{
	return decide(ctx);
}
