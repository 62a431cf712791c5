// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A map that takes more rights than the program beside it. */
#include "bpf.h"

struct {
	__uint(type, 15); /* BPF_MAP_TYPE_SOCKMAP */
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} sockets SEC(".maps");

SEC("socket")
int with_sockets(void *ctx)
{
	return 0;
}
