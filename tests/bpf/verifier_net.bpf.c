// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for what they do with contexts, packets and sockets. */
#include "verifier.h"

struct ethhdr {
	__u8 to[6], from[6];
	__be16 protocol;
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} offsets SEC(".maps");

static __always_inline void *start(struct xdp_md *xdp)
{
	return (void *)(long)xdp->data;
}

static __always_inline void *end(struct xdp_md *xdp)
{
	return (void *)(long)xdp->data_end;
}

SEC("?xdp")
int packet_unchecked(struct xdp_md *xdp)
{
	struct ethhdr *eth = start(xdp);

	return eth->protocol == 8 ? XDP_PASS : 1;
}

SEC("?xdp")
int packet_checked_short(struct xdp_md *xdp)
{
	struct ethhdr *eth = start(xdp);
	__u8 *version = (__u8 *)(eth + 1);

	if ((void *)(eth + 1) > end(xdp))
		return XDP_PASS;
	return *version == 0x45 ? XDP_PASS : 1;
}

SEC("?xdp")
int packet_after_adjust(struct xdp_md *xdp)
{
	struct ethhdr *eth = start(xdp);

	if ((void *)(eth + 1) > end(xdp))
		return XDP_PASS;
	if (bpf_xdp_adjust_head(xdp, -14))
		return 1;
	return eth->protocol == 8 ? XDP_PASS : 1;
}

SEC("?xdp")
int packet_far_offset(struct xdp_md *xdp)
{
	__u32 key = 0;
	__u32 *offset = bpf_map_lookup_elem(&offsets, &key);
	__u8 *at = start(xdp);

	if (!offset)
		return XDP_PASS;
	at += *offset;
	if ((void *)(at + 1) > end(xdp))
		return XDP_PASS;
	return *at ? XDP_PASS : 1;
}

SEC("?xdp")
int packet_end_read(struct xdp_md *xdp)
{
	return *(__u8 *)end(xdp) ? XDP_PASS : 1;
}

SEC("?xdp")
int packet_end_moved(struct xdp_md *xdp)
{
	struct ethhdr *eth = start(xdp);
	void *last = end(xdp);

	last -= sizeof(*eth);
	HIDE(last);
	if ((void *)eth > last)
		return XDP_PASS;
	return eth->protocol == 8 ? XDP_PASS : 1;
}

SEC("?cgroup_skb/egress")
int packet_read_only(struct __sk_buff *skb)
{
	__u8 *at = (void *)(long)skb->data;

	if ((void *)(at + 1) > (void *)(long)skb->data_end)
		return 1;
	*at = 0;
	return 1;
}

SEC("?tc")
int packet_to_helper(struct __sk_buff *skb)
{
	__u32 *at = (void *)(long)skb->data;

	if ((void *)(at + 1) > (void *)(long)skb->data_end)
		return 0;
	bpf_skb_load_bytes(skb, 20, at, sizeof(*at));
	return 0;
}

SEC("?tc")
int packet_after_pull(struct __sk_buff *skb)
{
	struct ethhdr *eth = (void *)(long)skb->data;

	if ((void *)(eth + 1) > (void *)(long)skb->data_end)
		return 0;
	bpf_skb_pull_data(skb, 64);
	eth->protocol = 0;
	return 0;
}

SEC("?xdp")
int context_beyond(struct xdp_md *xdp)
{
	return (&xdp->data)[25];
}

SEC("?tc")
int context_written(struct __sk_buff *skb)
{
	skb->len = 0;
	return 0;
}

SEC("?tc")
int context_wide(struct __sk_buff *skb)
{
	return (int)*(volatile __u64 *)&skb->ifindex;
}

SEC("?tc")
NAKED int context_moved(void)
{
	asm volatile("r1 += 4\n"
		     "r0 = *(u32 *)(r1 + 0)\n"
		     "exit");
}

SEC("?tc")
int context_variable(struct __sk_buff *skb)
{
	return skb->cb[skb->mark & 3];
}

SEC("?tc")
int context_passed_on(struct __sk_buff *skb)
{
	__u32 word = 0;

	bpf_skb_load_bytes(&skb->mark, 0, &word, sizeof(word));
	return word;
}

static __always_inline struct bpf_sock *find(struct __sk_buff *skb)
{
	struct tuple tuple = {.daddr = 1, .dport = 53};

	return bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple), -1, 0);
}

SEC("?tc")
int socket_unchecked(struct __sk_buff *skb)
{
	struct bpf_sock *sk = find(skb);
	__u32 family = sk->family;

	bpf_sk_release(sk);
	return family;
}

SEC("?tc")
int socket_of_packet(struct __sk_buff *skb)
{
	return skb->sk->family;
}

SEC("?tc")
int socket_leaked(struct __sk_buff *skb)
{
	struct bpf_sock *sk = find(skb);

	return sk ? sk->family : 0;
}

SEC("?tc")
int socket_forgotten(struct __sk_buff *skb)
{
	find(skb);
	return 0;
}

SEC("?tc")
int socket_not_ours(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (sk)
		bpf_sk_release(sk);
	return 0;
}

SEC("?tc")
int socket_written(struct __sk_buff *skb)
{
	struct bpf_sock *sk = find(skb);

	if (!sk)
		return 0;
	sk->family = 2;
	bpf_sk_release(sk);
	return 0;
}

SEC("?tc")
int socket_beyond(struct __sk_buff *skb)
{
	struct bpf_sock *sk = find(skb);
	__u32 word;

	if (!sk)
		return 0;
	word = (&sk->family)[60];
	bpf_sk_release(sk);
	return word;
}
