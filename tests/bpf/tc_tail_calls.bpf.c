// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Tail calls as tc's loader had them: sections name the id of an array and the slot in it. */
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

struct bpf_elf_map SEC("maps") jumps = {
	.type = MAP_PROG_ARRAY,
	.size_key = 4,
	.size_value = 4,
	.max_elem = 4,
	.id = 0x2a,
};

SEC("42/0")
int first(void *ctx)
{
	return 7;
}

SEC("0x2a/3")
int last(void *ctx)
{
	bpf_tail_call(ctx, &jumps, 0);
	return 1;
}

SEC("classifier")
int begin(void *ctx)
{
	bpf_tail_call(ctx, &jumps, 3);
	return 2;
}
