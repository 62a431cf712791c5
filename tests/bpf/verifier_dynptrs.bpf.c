// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for the rules of dynptrs (Linux 5.19). */
#include "verifier.h"

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct bpf_dynptr {
	__u64 opaque[2];
};

#define PROGRAM(name)                                                                              \
	SEC("?raw_tp/sched_process_exec")                                                          \
	int name(void *ctx)

PROGRAM(dynptr_unset)
{
	struct bpf_dynptr record;
	__u64 word = 0;

	bpf_dynptr_read(&word, sizeof(word), &record, 0, 0);
	return (int)word;
}

PROGRAM(dynptr_leaked)
{
	struct bpf_dynptr record;

	bpf_ringbuf_reserve_dynptr(&events, 8, 0, &record);
	return 0;
}

PROGRAM(dynptr_made_twice)
{
	struct bpf_dynptr record;

	bpf_ringbuf_reserve_dynptr(&events, 8, 0, &record);
	bpf_ringbuf_reserve_dynptr(&events, 8, 0, &record);
	bpf_ringbuf_discard_dynptr(&record, 0);
	return 0;
}

PROGRAM(dynptr_overwritten)
{
	struct bpf_dynptr record;

	bpf_ringbuf_reserve_dynptr(&events, 8, 0, &record);
	*(volatile __u64 *)&record = 0;
	bpf_ringbuf_discard_dynptr(&record, 0);
	return 0;
}

PROGRAM(dynptr_data_unchecked)
{
	struct bpf_dynptr record;
	__u64 *word;

	bpf_ringbuf_reserve_dynptr(&events, 8, 0, &record);
	word = bpf_dynptr_data(&record, 0, 8);
	*word = 1;
	bpf_ringbuf_discard_dynptr(&record, 0);
	return 0;
}

PROGRAM(dynptr_data_bounds)
{
	struct bpf_dynptr record;
	__u64 *word;

	bpf_ringbuf_reserve_dynptr(&events, 8, 0, &record);
	word = bpf_dynptr_data(&record, 0, 8);
	if (word)
		word[1] = 1;
	bpf_ringbuf_discard_dynptr(&record, 0);
	return 0;
}
