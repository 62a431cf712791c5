// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Sections whose variables the object keeps for itself, and one with another variable beside. */
#include "bpf.h"

#define hidden __attribute__((visibility("hidden")))

__u32 mine SEC(".data.mine") hidden = 1;
__u32 ours SEC(".data.both") hidden = 2;
__u32 yours SEC(".data.both") = 3;

SEC("raw_tp")
int use_hidden(void *ctx)
{
	mine += ours + yours;
	return 0;
}
