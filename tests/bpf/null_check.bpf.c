// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The verifier rejects it: the looked-up pointer is not tested. */
#include "bpf.h"

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} values SEC(".maps");

SEC("raw_tp/sched_process_exec")
int careless(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&values, &key);

	return (int)*value;
}
