// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf.h"

__u64 seen;

SEC("tracepoint/sched/sched_process_exec")
int on_exec_event(void *ctx)
{
	__sync_fetch_and_add(&seen, 1);
	return 0;
}
