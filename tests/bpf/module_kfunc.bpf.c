// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A function that a module of the kernel has (fou). */
#include "bpf.h"

struct __sk_buff {
	__u32 len;
};

struct bpf_fou_encap {
	__be16 sport;
	__be16 dport;
};

extern int bpf_skb_set_fou_encap(struct __sk_buff *skb, struct bpf_fou_encap *encap, int type) SEC(".ksyms");
extern int bpf_skb_get_fou_encap(struct __sk_buff *skb, struct bpf_fou_encap *encap) SEC(".ksyms") __weak;

SEC("tc")
int use_module(struct __sk_buff *skb)
{
	struct bpf_fou_encap encap = {.dport = 1};

	if (bpf_skb_get_fou_encap && bpf_skb_get_fou_encap(skb, &encap))
		return 0;
	return bpf_skb_set_fou_encap(skb, &encap, 0);
}
