// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What replaces `verdict` of replaceable.bpf.c, and what looks at it from outside. */
#include "bpf.h"

__u64 runs;

struct xdp_md {
	__u32 data;
};

SEC("?freplace/verdict")
int drop(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 1;
}

SEC("?fentry/verdict")
int before(void *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}
