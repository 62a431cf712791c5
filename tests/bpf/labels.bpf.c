// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Section names with labels. */
#include "bpf.h"

struct __sk_buff;
struct xdp_md;

SEC("socket/accept_all")
int accept_all(struct __sk_buff *skb)
{
	return -1;
}

SEC("xdp/my_prog")
int labelled_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}
