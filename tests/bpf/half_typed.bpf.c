// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps that give the type of the key or of the value only, and the other's size. */
#include "bpf.h"

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 8);
	__uint(key_size, 4);
	__type(value, __u64);
} typed_value SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__uint(value_size, 8);
} typed_key SEC(".maps");

SEC("raw_tp")
int look_up(void *ctx)
{
	__u32 key = 0;

	bpf_map_lookup_elem(&typed_value, &key);
	bpf_map_lookup_elem(&typed_key, &key);
	return 0;
}
