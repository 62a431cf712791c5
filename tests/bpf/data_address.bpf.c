// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Not supported yet: addresses in initialised data, which no loader fills in. */
#include "bpf.h"

const char hello[] = "hello";
const char *volatile greeting = hello;

SEC("raw_tp")
int greet(void *ctx)
{
	return greeting != NULL;
}
