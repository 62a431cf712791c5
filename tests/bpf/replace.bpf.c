// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Replaces and watches functions of target.bpf.c; what they are is said when it loads. */
#include "bpf.h"

struct xdp_md {
	__u32 data;
};

SEC("freplace/decide")
int decide_otherwise(struct xdp_md *ctx)
{
	return 1;
}

SEC("?fentry/decide")
int watch(void *ctx)
{
	return 0;
}
