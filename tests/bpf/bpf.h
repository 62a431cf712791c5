/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the test programs need, and nothing from the machine's headers: compiled objects then depend
 * on the compiler alone. Numbers and layouts: include/uapi/linux/bpf.h, Linux 6.18.
 */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;

#define SEC(name) __attribute__((section(name), used))
#define NULL ((void *)0)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name
#define __array(name, value) typeof(value) *name[]
#define __noinline __attribute__((noinline))
#define __always_inline inline __attribute__((always_inline))
#define __hidden __attribute__((visibility("hidden")))
#define __weak __attribute__((weak))
#define __core __attribute__((preserve_access_index))

enum {
	MAP_HASH = 1,
	MAP_ARRAY = 2,
	MAP_PROG_ARRAY = 3,
	MAP_PERF_EVENT_ARRAY = 4,
	MAP_PERCPU_HASH = 5,
	MAP_PERCPU_ARRAY = 6,
	MAP_STACK_TRACE = 7,
	MAP_CGROUP_ARRAY = 8,
	MAP_LRU_HASH = 9,
	MAP_LRU_PERCPU_HASH = 10,
	MAP_LPM_TRIE = 11,
	MAP_ARRAY_OF_MAPS = 12,
	MAP_HASH_OF_MAPS = 13,
	MAP_DEVMAP = 14,
	MAP_SOCKMAP = 15,
	MAP_CPUMAP = 16,
	MAP_XSKMAP = 17,
	MAP_SOCKHASH = 18,
	MAP_CGROUP_STORAGE = 19,
	MAP_REUSEPORT_SOCKARRAY = 20,
	MAP_PERCPU_CGROUP_STORAGE = 21,
	MAP_QUEUE = 22,
	MAP_STACK = 23,
	MAP_SK_STORAGE = 24,
	MAP_DEVMAP_HASH = 25,
	MAP_RINGBUF = 27,
	MAP_INODE_STORAGE = 28,
	MAP_TASK_STORAGE = 29,
	MAP_BLOOM_FILTER = 30,
	MAP_USER_RINGBUF = 31,
	MAP_CGRP_STORAGE = 32,
	MAP_ARENA = 33,
	MAP_RHASH = 35,
};

enum { F_NO_PREALLOC = 1, F_NUMA_NODE = 4, F_MMAPABLE = 1024 };
enum { PIN_BY_NAME = 1 };
enum { XDP_PASS = 2, TCX_NEXT = -1 };

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static long (*bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)12;
static __u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*bpf_get_current_comm)(void *buf, __u32 size) = (void *)16;
static long (*bpf_spin_lock)(void *lock) = (void *)93;
static long (*bpf_spin_unlock)(void *lock) = (void *)94;
static long (*bpf_probe_read_kernel)(void *dst, __u32 size, const void *src) = (void *)113;
static long (*bpf_seq_printf)(void *m, const char *fmt, __u32 size, const void *data, __u32 len) = (void *)126;
static long (*bpf_seq_write)(void *m, const void *data, __u32 len) = (void *)127;
static void *(*bpf_ringbuf_reserve)(void *ringbuf, __u64 size, __u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)132;
static void *(*bpf_per_cpu_ptr)(const void *percpu, __u32 cpu) = (void *)153;
static long (*bpf_for_each_map_elem)(void *map, void *callback, void *ctx, __u64 flags) = (void *)164;

static long (*bpf_timer_init)(void *timer, void *map, __u64 flags) = (void *)169;

/* bpf_seq_printf with its arguments as an array of 64-bit words. */
#define seq_print(seq, format, ...)                                                                \
	({                                                                                         \
		static const char text[] = format;                                                 \
		__u64 words[] = {__VA_ARGS__};                                                     \
		bpf_seq_printf(seq, text, sizeof(text), words, sizeof(words));                     \
	})

/* The same for text without arguments. */
#define seq_text(seq, literal)                                                                     \
	({                                                                                         \
		static const char text[] = literal;                                                \
		bpf_seq_printf(seq, text, sizeof(text), NULL, 0);                                  \
	})

#ifndef LICENSE
#define LICENSE "Dual BSD/GPL"
#endif
char _license[] SEC("license") = LICENSE;
