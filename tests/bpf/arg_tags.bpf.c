// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A global function whose argument is a context by its tag alone; its type says nothing. */
#include "bpf.h"

#define __arg_ctx __attribute__((btf_decl_tag("arg:ctx")))

__noinline int length_of(void *ctx __arg_ctx, int more)
{
	return *(volatile __u32 *)ctx + more;
}

__hidden __noinline int hidden_length(void *ctx __arg_ctx)
{
	return *(volatile __u32 *)ctx;
}

SEC("tc")
int packet_length(void *ctx)
{
	return length_of(ctx, 1) + hidden_length(ctx);
}
