// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf.h"

struct xdp_md;

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}
