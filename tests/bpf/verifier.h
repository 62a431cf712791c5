/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs that the verifier must refuse have in common. Each breaks one rule, most of
 * them the way people do; inline assembly stands in where the compiler would not make the mistake.
 */
#pragma once
#include "bpf.h"

#define NAKED __attribute__((naked))
#define __ksym SEC(".ksyms")
#define HIDE(value) asm volatile("" : "+r"(value))

/* Parts of the contexts: include/uapi/linux/bpf.h. */
struct __sk_buff {
	__u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto;
	__u32 priority, ingress_ifindex, ifindex, tc_index, cb[5], hash, tc_classid, data, data_end;
	__u32 napi_id, family, remote_ip4, local_ip4, remote_ip6[4], local_ip6[4];
	__u32 remote_port, local_port, data_meta;
	__u64 flow_keys, tstamp;
	__u32 wire_len, gso_segs;
	struct bpf_sock *sk __attribute__((aligned(8)));
};

struct xdp_md {
	__u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};

struct bpf_sock {
	__u32 bound_dev_if, family, type, protocol, mark, priority;
};

struct tuple {
	__u32 saddr, daddr;
	__u16 sport, dport;
};

static long (*bpf_probe_read)(void *dst, __u32 size, const void *src) = (void *)4;
static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static __u32 (*bpf_get_prandom_u32)(void) = (void *)7;
static long (*bpf_redirect)(__u32 ifindex, __u64 flags) = (void *)23;
static long (*bpf_skb_load_bytes)(const void *skb, __u32 off, void *to, __u32 len) = (void *)26;
static __u64 (*bpf_get_current_task)(void) = (void *)35;
static long (*bpf_skb_pull_data)(void *skb, __u32 len) = (void *)39;
static long (*bpf_xdp_adjust_head)(void *xdp, int delta) = (void *)44;
static struct bpf_sock *(*bpf_sk_lookup_udp)(void *ctx, void *tuple, __u32 size, __u64 netns, __u64 flags) = (void *)85;
static long (*bpf_sk_release)(void *sk) = (void *)86;
static long (*bpf_ringbuf_output)(void *ringbuf, void *data, __u64 size, __u64 flags) = (void *)130;
static void (*bpf_ringbuf_discard)(void *data, __u64 flags) = (void *)132;
static long (*bpf_d_path)(void *path, char *buf, __u32 size) = (void *)147;
static long (*bpf_copy_from_user)(void *dst, __u32 size, const void *from) = (void *)148;
static long (*bpf_snprintf)(char *to, __u32 size, const char *fmt, __u64 *data, __u32 len) = (void *)165;
static long (*bpf_timer_start)(void *timer, __u64 nsecs, __u64 flags) = (void *)171;
static long (*bpf_loop)(__u32 times, void *callback, void *ctx, __u64 flags) = (void *)181;
static long (*bpf_strncmp)(const char *s1, __u32 size, const char *s2) = (void *)182;
static long (*bpf_ringbuf_reserve_dynptr)(void *ringbuf, __u32 size, __u64 flags, void *dynptr) = (void *)198;
static long (*bpf_dynptr_read)(void *dst, __u32 len, const void *dynptr, __u32 off, __u64 flags) = (void *)201;
static void *(*bpf_dynptr_data)(const void *dynptr, __u32 off, __u32 len) = (void *)203;
static void (*bpf_ringbuf_discard_dynptr)(void *dynptr, __u64 flags) = (void *)200;
