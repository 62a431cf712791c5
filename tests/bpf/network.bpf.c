// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs at places of the network stack, which let everything pass and count it. */
#include "bpf.h"

__u64 runs;

#define PASS(section, name, verdict)                                                               \
	SEC(section)                                                                               \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		__sync_fetch_and_add(&runs, 1);                                                    \
		return verdict;                                                                    \
	}

PASS("netfilter", on_netfilter, 1)
PASS("sk_lookup", on_sk_lookup, 1)
PASS("flow_dissector", on_flow, 0)
PASS("sk_msg", on_message, 1)
PASS("sk_skb/stream_verdict", on_stream, 1)
PASS("netkit/primary", on_netkit, -1)
PASS("cgroup_skb/egress", on_egress, 1)
PASS("tc", on_packet, -1)
