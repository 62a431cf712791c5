// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Not supported yet: maps of maps, and a program array with contents. */
#include "bpf.h"

struct inner {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} one SEC(".maps"), two SEC(".maps");

struct {
	__uint(type, MAP_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {[0] = &one, [3] = &two}};

int jumped(void *ctx);

struct {
	__uint(type, MAP_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} jumps SEC(".maps") = {.values = {[1] = &jumped}};

SEC("raw_tp")
int jumped(void *ctx)
{
	return 0;
}

SEC("raw_tp/sched_process_exec")
int look_inside(void *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&outer, &key) != NULL;
}
