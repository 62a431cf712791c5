// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps as libbpf had them before 1.0, with the types of one. */
#include "bpf.h"

struct bpf_map_def {
	unsigned int type;
	unsigned int key_size;
	unsigned int value_size;
	unsigned int max_entries;
	unsigned int map_flags;
	unsigned int spare[2];
};

struct ____btf_map_typed {
	__u32 key;
	__u64 value;
};
struct ____btf_map_typed __attribute__((section(".maps.typed"), used)) ____btf_map_typed = {};

struct bpf_map_def SEC("maps") typed = {
	.type = MAP_HASH,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 16,
	.map_flags = F_NO_PREALLOC,
};

struct bpf_map_def SEC("maps") untyped = {
	.type = MAP_ARRAY,
	.key_size = 4,
	.value_size = 4,
	.max_entries = 2,
};

SEC("raw_tp")
int use_maps(void *ctx)
{
	__u32 key = 0;

	bpf_map_lookup_elem(&typed, &key);
	return bpf_map_lookup_elem(&untyped, &key) != NULL;
}
