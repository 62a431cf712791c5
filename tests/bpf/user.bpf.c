// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that user space runs on demand. */
#include "bpf.h"

__u64 runs;

SEC("user")
int on_demand(void *ctx)
{
	return __sync_fetch_and_add(&runs, 1);
}

SEC("user/x")
int labelled(void *ctx)
{
	return 7;
}
