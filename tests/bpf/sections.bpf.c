// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Several programs in a section, and programs that are not loaded unless asked for. */
#include "bpf.h"

__u64 first_runs, second_runs;

SEC("raw_tp/sched_process_exec")
int first(void *ctx)
{
	__sync_fetch_and_add(&first_runs, 1);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int second(void *ctx)
{
	__sync_fetch_and_add(&second_runs, 1);
	return 0;
}

SEC("?raw_tp/sched_process_exit")
int not_by_itself(void *ctx)
{
	return 0;
}
