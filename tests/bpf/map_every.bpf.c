// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A map of each type that has values of its own, with types of key and value where it has them. */
#include "bpf.h"

struct place {
	__u64 cgroup;
	__u32 attach_type;
};

struct prefix {
	__u32 bits;
	__u32 address;
};

#define MAP(name, kind, key_type, value_type, flags, entries)                                      \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(map_flags, flags);                                                          \
		__uint(max_entries, entries);                                                      \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

#define KEYLESS(name, kind, value_type)                                                            \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, 4);                                                            \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

#define RING(name, kind)                                                                           \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, 5000);                                                         \
	} name SEC(".maps")

#define OF_MAPS(name, kind)                                                                        \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, 4);                                                            \
		__type(key, __u32);                                                                \
		__array(values, struct {                                                           \
			__uint(type, MAP_ARRAY);                                                   \
			__uint(max_entries, 1);                                                    \
			__type(key, __u32);                                                        \
			__type(value, __u64);                                                      \
		});                                                                                \
	} name SEC(".maps")

MAP(hash, MAP_HASH, __u32, __u64, 0, 4);
MAP(array, MAP_ARRAY, __u32, __u64, 0, 4);
MAP(prog_array, MAP_PROG_ARRAY, __u32, __u32, 0, 4);
MAP(perf_event_array, MAP_PERF_EVENT_ARRAY, __u32, __u32, 0, 0);
MAP(percpu_hash, MAP_PERCPU_HASH, __u32, __u64, 0, 4);
MAP(percpu_array, MAP_PERCPU_ARRAY, __u32, __u64, 0, 4);
MAP(stack_trace, MAP_STACK_TRACE, __u32, __u64, 0, 4);
MAP(cgroup_array, MAP_CGROUP_ARRAY, __u32, __u32, 0, 4);
MAP(lru_hash, MAP_LRU_HASH, __u32, __u64, 0, 4);
MAP(lru_percpu_hash, MAP_LRU_PERCPU_HASH, __u32, __u64, 0, 4);
MAP(lpm_trie, MAP_LPM_TRIE, struct prefix, __u64, F_NO_PREALLOC, 4);
OF_MAPS(array_of_maps, MAP_ARRAY_OF_MAPS);
OF_MAPS(hash_of_maps, MAP_HASH_OF_MAPS);
MAP(devmap, MAP_DEVMAP, __u32, __u32, 0, 4);
MAP(sockmap, MAP_SOCKMAP, __u32, __u64, 0, 4);
MAP(cpumap, MAP_CPUMAP, __u32, __u32, 0, 1);
MAP(xskmap, MAP_XSKMAP, __u32, __u32, 0, 4);
MAP(sockhash, MAP_SOCKHASH, __u64, __u64, 0, 4);
MAP(cgroup_storage, MAP_CGROUP_STORAGE, struct place, __u64, 0, 0);
MAP(reuseport_sockarray, MAP_REUSEPORT_SOCKARRAY, __u32, __u64, 0, 4);
MAP(percpu_cgroup_storage, MAP_PERCPU_CGROUP_STORAGE, struct place, __u64, 0, 0);
KEYLESS(queue, MAP_QUEUE, __u64);
KEYLESS(stack, MAP_STACK, __u64);
MAP(sk_storage, MAP_SK_STORAGE, __s32, __u64, F_NO_PREALLOC, 0);
MAP(devmap_hash, MAP_DEVMAP_HASH, __u32, __u32, 0, 4);
RING(ringbuf, MAP_RINGBUF);
MAP(inode_storage, MAP_INODE_STORAGE, __s32, __u64, F_NO_PREALLOC, 0);
MAP(task_storage, MAP_TASK_STORAGE, __s32, __u64, F_NO_PREALLOC, 0);
KEYLESS(bloom_filter, MAP_BLOOM_FILTER, __u32);
RING(user_ringbuf, MAP_USER_RINGBUF);
MAP(cgrp_storage, MAP_CGRP_STORAGE, __s32, __u64, F_NO_PREALLOC, 0);
MAP(rhash, MAP_RHASH, __u32, __u64, F_NO_PREALLOC, 4);

struct {
	__uint(type, MAP_ARENA);
	__uint(map_flags, F_MMAPABLE);
	__uint(max_entries, 1);
} arena SEC(".maps");
