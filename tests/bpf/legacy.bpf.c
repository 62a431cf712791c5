// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A name that still loads, with a warning. */
#include "bpf.h"

struct __sk_buff;

SEC("classifier")
int classify(struct __sk_buff *skb)
{
	return -1;
}
