// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Not supported yet: an implementation of a kernel's struct of functions. */
#include "bpf.h"

struct tcp_congestion_ops {
	char name[16];
	__u32 (*ssthresh)(void *sk);
};

SEC("struct_ops/ssthresh")
int ssthresh(__u64 *ctx)
{
	return 2;
}

SEC(".struct_ops")
struct tcp_congestion_ops nothing_new = {
	.name = "nothing_new",
	.ssthresh = (void *)ssthresh,
};
