// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Elements of a map with keys and values of 4 and 8 bytes or more; the map comes with the link. */
#include "bpf.h"
#include "kernel_types.h"

struct bpf_map;

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
} __core;

SEC("iter/bpf_map_elem")
int each_element(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 *key = ctx->key;
	__u64 *value = ctx->value;

	if (!key || !value)
		return 0;
	seq_print(ctx->meta->seq, "%u: %llu\n", *key, *value);
	return 0;
}
