// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Many sections of data, the compiler's own for string literals among them. */
#include "bpf.h"

const volatile int plain = 1;
const volatile int more SEC(".rodata.more") = 2;
int data SEC(".data.one") = 3;
static volatile int hidden SEC(".data.two") = 4;
int zero SEC(".bss.one");
static volatile int hidden_zero SEC(".bss.two");

static __noinline int first(const char *text)
{
	return text[0] + text[1];
}

int sum;

SEC("raw_tp")
int use_strings(void *ctx)
{
	const char *text = plain ? "AB" : "CD";

	asm volatile("" : "+r"(text));
	zero = first(text);
	sum = zero + more + data + hidden + hidden_zero;
	return 0;
}
