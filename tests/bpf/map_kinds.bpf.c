// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps whose definitions the loader completes, or whose types the kernel does not take. */
#include "bpf.h"

struct value {
	__u64 one, two;
};

#define MAP(name, kind, key_type, value_type, entries)                                             \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, entries);                                                      \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

#define STORAGE(name, kind)                                                                        \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(map_flags, F_NO_PREALLOC);                                                  \
		__type(key, __s32);                                                                \
		__type(value, struct value);                                                       \
	} name SEC(".maps")

MAP(events, MAP_PERF_EVENT_ARRAY, __u32, __u32, 0);
MAP(stacks, MAP_STACK_TRACE, __u32, __u64, 8);
MAP(devices, MAP_DEVMAP, __u32, __u32, 4);
MAP(cpus, MAP_CPUMAP, __u32, __u32, 1);
MAP(sockets, MAP_SOCKMAP, __u32, __u32, 4);
MAP(cgroups, MAP_CGROUP_ARRAY, __u32, __u32, 4);
STORAGE(of_sockets, MAP_SK_STORAGE);

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 5000);
} ring SEC(".maps");

struct {
	__uint(type, MAP_QUEUE);
	__uint(max_entries, 4);
	__uint(key_size, 0);
	__type(value, struct value);
} queue SEC(".maps");

struct {
	__uint(type, MAP_LPM_TRIE);
	__uint(map_flags, F_NO_PREALLOC);
	__uint(max_entries, 4);
	__uint(key_size, 8);
	__type(value, struct value);
} half_typed SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(map_flags, F_NO_PREALLOC | F_NUMA_NODE);
	__uint(numa_node, 0);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} on_node SEC(".maps");

SEC("raw_tp")
int nothing(void *ctx)
{
	return 0;
}
