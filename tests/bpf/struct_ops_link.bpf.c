// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A congestion control that lives as long as its link. */
#include "bpf.h"

struct sock;

struct tcp_congestion_ops {
	char name[16];
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
};

SEC("struct_ops")
__u32 linked_ssthresh(__u64 *ctx)
{
	return 2;
}

SEC("struct_ops")
void linked_cong_avoid(__u64 *ctx)
{
}

SEC("struct_ops")
__u32 linked_undo_cwnd(__u64 *ctx)
{
	return 2;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops bpfctl_linked = {
	.name = "bpfctl_linked",
	.ssthresh = (void *)linked_ssthresh,
	.cong_avoid = (void *)linked_cong_avoid,
	.undo_cwnd = (void *)linked_undo_cwnd,
};
