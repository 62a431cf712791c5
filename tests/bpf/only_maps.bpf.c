// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Nothing to run: a map, for programs of other objects. */
#include "bpf.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} for_others SEC(".maps");
