// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf.h"

struct __sk_buff;

SEC("cgroup_skb/egress")
int allow_out(struct __sk_buff *skb)
{
	return 1;
}
