// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses from those who lack CAP_PERFMON: what could give data away. */
#include "verifier.h"

struct endpoint {
	__u32 address;
	__u32 port;
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} values SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 1);
	__type(key, struct endpoint);
	__type(value, __u64);
} ports SEC(".maps");

SEC("?socket")
int leak_return_value(void *ctx)
{
	return (int)(__u64)ctx;
}

SEC("?socket")
int leak_into_map(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&values, &key);

	if (value)
		*value = (__u64)value;
	return 0;
}

SEC("?socket")
int pointer_compared(void *ctx)
{
	__u64 local = 0;
	__u64 *at = &local;

	HIDE(at);
	return (__u64)at > 4096;
}

SEC("?socket")
int stack_field_forgotten(void *ctx)
{
	struct endpoint key;

	key.port = 80;
	return bpf_map_lookup_elem(&ports, &key) != NULL;
}

SEC("?socket")
NAKED int stack_unset(void)
{
	asm volatile("r0 = *(u64 *)(r10 - 8)\n"
		     "exit");
}

SEC("?socket")
int stack_by_index(void *ctx)
{
	char digits[16] = {};

	digits[bpf_get_prandom_u32() & 15] = 1;
	asm volatile("" : : "r"(digits) : "memory");
	return digits[0];
}
