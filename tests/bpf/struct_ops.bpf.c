// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Congestion controls of TCP, with and without a link; each halves or keeps its window. */
#include "bpf.h"

struct sock;
struct ack_sample;
struct rate_sample;

/* The members in another order than the kernel's, and some the kernel does not have. */
struct tcp_congestion_ops___local {
	__u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 no_such_number;
	void (*no_such_function)(struct sock *sk);
	__u32 flags;
};

int calls;

SEC("struct_ops/ssthresh")
__u32 half_ssthresh(__u64 *ctx)
{
	return 2;
}

SEC("struct_ops")
void half_cong_avoid(__u64 *ctx)
{
	calls++;
}

SEC("struct_ops")
__u32 half_undo_cwnd(__u64 *ctx)
{
	return 2;
}

SEC("struct_ops")
void not_there(__u64 *ctx)
{
}

SEC("?struct_ops")
__u32 later_ssthresh(__u64 *ctx)
{
	return 4;
}

SEC(".struct_ops")
struct tcp_congestion_ops___local bpfctl_half = {
	.name = "bpfctl_half",
	.ssthresh = (void *)half_ssthresh,
	.cong_avoid = (void *)half_cong_avoid,
	.undo_cwnd = (void *)half_undo_cwnd,
	.no_such_function = (void *)not_there,
};

SEC("?.struct_ops")
struct tcp_congestion_ops___local bpfctl_later = {
	.name = "bpfctl_later",
	.ssthresh = (void *)later_ssthresh,
};
