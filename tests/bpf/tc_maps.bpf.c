// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps as tc defines them, pinned where tc pins them; a map of maps that begins with one. */
#include "bpf.h"

struct bpf_elf_map {
	__u32 type;
	__u32 size_key;
	__u32 size_value;
	__u32 max_elem;
	__u32 flags;
	__u32 id;
	__u32 pinning;
	__u32 inner_id;
	__u32 inner_idx;
};

enum { PIN_NONE, PIN_OBJECT_NS, PIN_GLOBAL_NS };

struct bpf_elf_map SEC("maps") tc_inner = {
	.type = MAP_ARRAY,
	.size_key = 4,
	.size_value = 4,
	.max_elem = 1,
	.id = 7,
	.inner_idx = 1,
	.pinning = PIN_OBJECT_NS,
};

struct bpf_elf_map SEC("maps") tc_outer = {
	.type = MAP_ARRAY_OF_MAPS,
	.size_key = 4,
	.size_value = 4,
	.max_elem = 2,
	.inner_id = 7,
};

struct bpf_elf_map SEC("maps") tc_shared = {
	.type = MAP_HASH,
	.size_key = 4,
	.size_value = 8,
	.max_elem = 4,
	.pinning = PIN_GLOBAL_NS,
};

SEC("tc")
int use_maps(void *ctx)
{
	__u32 key = 1;
	void *inner = bpf_map_lookup_elem(&tc_outer, &key);

	bpf_map_lookup_elem(&tc_shared, &key);
	key = 0;
	return inner && bpf_map_lookup_elem(inner, &key) ? 0 : 2;
}
