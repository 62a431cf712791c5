// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One map of each common type; a program that runs on demand touches them all. */
#include "bpf.h"

enum colour { RED, GREEN = 5, BLUE };

struct point {
	__s32 x;
	__s32 y;
};

struct record {
	__u64 count;
	char name[16];
	struct point at;
	enum colour colour;
	__u32 low : 3, high : 29;
	_Bool seen;
	__u8 bytes[3];
};

struct route_key {
	__u32 prefix_len;
	__u8 address[4];
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu SEC(".maps");

struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} recent SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, MAP_LPM_TRIE);
	__uint(max_entries, 16);
	__uint(map_flags, F_NO_PREALLOC);
	__type(key, struct route_key);
	__type(value, __u32);
} routes SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 128);
	__type(key, __u32);
	__type(value, struct record);
} records SEC(".maps");

/* Sizes without types, and a name longer than the kernel keeps. */
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 8);
	__uint(key_size, 4);
	__uint(value_size, 12);
} a_map_with_a_rather_long_name SEC(".maps");

SEC("raw_tp")
int touch_all(void *ctx)
{
	struct record record = {.count = 1, .colour = GREEN, .at = {-1, 2}, .low = 5, .seen = 1};
	struct route_key route = {.prefix_len = 8, .address = {10}};
	__u32 key = 0, hop = 1;
	__u64 one = 1, *value, *event;
	char sized[12] = "sized";

	value = bpf_map_lookup_elem(&counters, &key);
	if (value)
		__sync_fetch_and_add(value, 1);
	value = bpf_map_lookup_elem(&per_cpu, &key);
	if (value)
		*value += 1;
	bpf_get_current_comm(record.name, sizeof(record.name));
	bpf_map_update_elem(&recent, &key, &one, 0);
	bpf_map_update_elem(&routes, &route, &hop, 0);
	bpf_map_update_elem(&records, &key, &record, 0);
	bpf_map_update_elem(&a_map_with_a_rather_long_name, &key, sized, 0);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) {
		*event = one;
		bpf_ringbuf_submit(event, 0);
	}
	return 0;
}
