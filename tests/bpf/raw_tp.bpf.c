// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf.h"

__u64 seen;

SEC("raw_tp/sched_process_exec")
int on_exec_raw(void *ctx)
{
	__sync_fetch_and_add(&seen, 1);
	return 0;
}
