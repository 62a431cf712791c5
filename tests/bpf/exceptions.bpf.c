// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program that throws, with a function of its own that says what it then returns. */
#include "bpf.h"

#define __exception_cb(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

extern void bpf_throw(__u64 cookie) SEC(".ksyms");

static __noinline __u64 twice(__u64 cookie)
{
	return cookie * 2;
}

__noinline int on_exception(__u64 cookie)
{
	return twice(cookie) + 1;
}

SEC("tc")
__exception_cb(on_exception)
int thrower(void *ctx)
{
	bpf_throw(20);
	return 0;
}

SEC("tc")
int quiet(void *ctx)
{
	return on_exception(1);
}
