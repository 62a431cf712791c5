// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Externs that no kernel has: they are reported together. */
#include "bpf.h"

#define __ksym SEC(".ksyms")

extern int CONFIG_NO_SUCH_THING SEC(".kconfig");
extern const void no_such_symbol __ksym;
extern const int no_such_variable __ksym;
extern int scx_bpf_no_such_function(void) __ksym;
extern int bpf_weak_function(void) __ksym __weak;

SEC("raw_tp")
int needs_much(void *ctx)
{
	return CONFIG_NO_SUCH_THING + (__u64)&no_such_symbol + no_such_variable + scx_bpf_no_such_function();
}

SEC("?raw_tp")
int calls_weak(void *ctx)
{
	return bpf_weak_function();
}
