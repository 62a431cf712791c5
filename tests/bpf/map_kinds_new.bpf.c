// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps of Linux 5.16 to 6.1, and values with fields that the kernel manages. */
#include "bpf.h"

#define STORAGE(name, kind)                                                                        \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(map_flags, F_NO_PREALLOC);                                                  \
		__type(key, __s32);                                                                \
		__type(value, __u64);                                                              \
	} name SEC(".maps")

STORAGE(of_inodes, MAP_INODE_STORAGE);
STORAGE(of_tasks, MAP_TASK_STORAGE);
STORAGE(of_cgroups, MAP_CGRP_STORAGE);

struct {
	__uint(type, MAP_BLOOM_FILTER);
	__uint(max_entries, 100);
	__uint(map_extra, 3);
	__type(value, __u32);
} filter SEC(".maps");

struct {
	__uint(type, MAP_USER_RINGBUF);
	__uint(max_entries, 1);
} from_user SEC(".maps");

struct bpf_timer {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct bpf_spin_lock {
	__u32 val;
};

struct managed {
	struct bpf_spin_lock lock;
	__u32 count;
};

struct timed {
	__u64 count;
	struct bpf_timer timer;
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct managed);
} locked SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct timed);
} timers SEC(".maps");

SEC("tc")
int use_fields(void *ctx)
{
	__u32 key = 0;
	struct managed *managed = bpf_map_lookup_elem(&locked, &key);
	struct timed *timed = bpf_map_lookup_elem(&timers, &key);

	if (managed) {
		bpf_spin_lock(&managed->lock);
		managed->count++;
		bpf_spin_unlock(&managed->lock);
	}
	if (timed)
		bpf_timer_init(&timed->timer, &timers, 1);
	return 0;
}
