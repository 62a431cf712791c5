// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What does not replace `decide` of target.bpf.c, for its prototype is another. */
#include "bpf.h"

struct xdp_md {
	__u32 data;
};

struct __sk_buff {
	__u32 len;
};

typedef struct xdp_md packet;

SEC("?freplace/decide")
int more_arguments(struct xdp_md *ctx, int more)
{
	return more;
}

SEC("?freplace/decide")
int no_arguments(void)
{
	return 1;
}

SEC("?freplace/decide")
int other_context(struct __sk_buff *skb)
{
	return 1;
}

SEC("?freplace/decide")
int a_number(int ctx)
{
	return 1;
}

/* The kernel sees no difference: a typedef is what it stands for. */
SEC("?freplace/decide")
int by_typedef(packet *ctx)
{
	return 1;
}
