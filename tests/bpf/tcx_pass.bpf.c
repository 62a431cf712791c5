// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf.h"

struct __sk_buff;

SEC("tcx/ingress")
int pass_in(struct __sk_buff *skb)
{
	return TCX_NEXT;
}

SEC("tcx/egress")
int pass_out(struct __sk_buff *skb)
{
	return TCX_NEXT;
}
