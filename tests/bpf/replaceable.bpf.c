// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program with a function that others replace. */
#include "bpf.h"

struct xdp_md {
	__u32 data;
};

__noinline int verdict(struct xdp_md *ctx)
{
	volatile int result = XDP_PASS;

	return ctx ? result : 0;
}

SEC("xdp")
int ask(struct xdp_md *ctx)
{
	return verdict(ctx);
}
