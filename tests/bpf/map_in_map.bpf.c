// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps of maps with contents, and a program array that calls a program nobody loads by itself. */
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

struct {
	__uint(type, MAP_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, struct {
		__uint(type, MAP_RINGBUF);
		__uint(max_entries, 1);
	});
} buffers SEC(".maps");

int jumped(void *ctx);
int never(void *ctx);

struct {
	__uint(type, MAP_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} jumps SEC(".maps") = {.values = {[0] = &never, [1] = &jumped}};

int calls, found;

SEC("?raw_tp")
int jumped(void *ctx)
{
	calls++;
	return 0;
}

SEC("?raw_tp")
int never(void *ctx)
{
	return 0;
}

SEC("raw_tp/sched_process_exec")
int look_inside(void *ctx)
{
	__u32 key = 3, index = 1;
	void *inner = bpf_map_lookup_elem(&outer, &key);

	if (inner && bpf_map_lookup_elem(inner, &index))
		found++;
	bpf_map_lookup_elem(&buffers, &key);
	bpf_tail_call(ctx, &jumps, 1);
	return 1;
}
