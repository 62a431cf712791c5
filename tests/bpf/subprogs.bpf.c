// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Static, global, hidden and weak functions in .text; one as a callback. */
#include "bpf.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

static __noinline int add_three(int x)
{
	return x + 3;
}

static __noinline int add_five(int x)
{
	return add_three(x) + 2;
}

__noinline int global_twice(int x)
{
	return add_three(x) * 2;
}

__hidden __noinline int hidden_half(__u32 x)
{
	return x / 2;
}

__weak __noinline int weak_one(void)
{
	volatile int one = 1;

	return one;
}

struct sum {
	__u64 total;
};

static long add_up(void *map, const __u32 *key, __u64 *value, struct sum *sum)
{
	sum->total += *value + *key;
	return 0;
}

SEC("raw_tp/sched_process_exec")
int caller(__u64 *ctx)
{
	int x = (int)ctx[0];

	return add_five(x) + global_twice(x) + hidden_half(x) + weak_one();
}

SEC("raw_tp/sched_process_exit")
int summer(void *ctx)
{
	struct sum sum = {};

	bpf_for_each_map_elem(&numbers, add_up, &sum, 0);
	return global_twice((int)sum.total);
}
