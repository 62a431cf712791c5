// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program that the verifier refuses for its licence. */
#define LICENSE "Proprietary"
#include "verifier.h"

SEC("?raw_tp/sched_process_exec")
int helper_gpl_only(void *ctx)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), ctx);
	return (int)word;
}
