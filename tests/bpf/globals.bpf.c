// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Read-only, initialised and zeroed variables, static ones too, and sections with names. */
#include "bpf.h"

const volatile __u32 limit = 42;
const volatile char greeting[8] = "hello";
static volatile const __u16 steps[4] = {1, 2, 3, 5};
const volatile __u64 tuned SEC(".rodata.tuning") = 9;

__u64 start = 100;
static volatile __s32 offset = -7;
__u32 special SEC(".data.special") = 11;

__u64 total;
static volatile __u32 calls;
__u8 blob[64];

SEC("raw_tp")
int use_globals(void *ctx)
{
	calls += 1;
	total += start + limit + steps[calls & 3] + tuned + offset + special + greeting[0];
	blob[calls & 63] = 1;
	return (int)total;
}
