// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps that other files do not see: libbpf refuses the static ones. */
#include "bpf.h"

struct inner {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
};

static struct inner first SEC(".maps"), second SEC(".maps");
struct inner hidden __hidden SEC(".maps");

static struct {
	__uint(type, MAP_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {[1] = &second, [2] = &hidden}};

SEC("raw_tp")
int use_maps(void *ctx)
{
	__u32 key = 0;

	bpf_map_lookup_elem(&first, &key);
	bpf_map_lookup_elem(&second, &key);
	bpf_map_lookup_elem(&hidden, &key);
	return bpf_map_lookup_elem(&outer, &key) != NULL;
}
