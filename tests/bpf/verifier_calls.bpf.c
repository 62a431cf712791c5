// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for what they call, or how. */
#include "verifier.h"

struct event {
	__u64 stamp;
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} values SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, MAP_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

#define PROGRAM(name)                                                                              \
	SEC("?raw_tp/sched_process_exec")                                                          \
	int name(void *ctx)

#define ASM_PROGRAM(name)                                                                          \
	SEC("?raw_tp/sched_process_exec")                                                          \
	NAKED int name(void)

PROGRAM(argument_no_map)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&key, &key) != NULL;
}

PROGRAM(argument_number)
{
	return bpf_map_lookup_elem(&values, (void *)1) != NULL;
}

PROGRAM(argument_context)
{
	return bpf_map_lookup_elem(&values, ctx) != NULL;
}

ASM_PROGRAM(helper_unknown)
{
	asm volatile("call 9999\n"
		     "exit");
}

PROGRAM(helper_elsewhere)
{
	return bpf_redirect(1, 0);
}

PROGRAM(helper_sleeps)
{
	__u64 word = 0;

	bpf_copy_from_user(&word, sizeof(word), (void *)4096);
	return (int)word;
}

PROGRAM(map_of_other_type)
{
	__u64 word = 0;

	return bpf_ringbuf_output(&values, &word, sizeof(word), 0);
}

PROGRAM(map_for_tail_calls)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&programs, &key) != NULL;
}

PROGRAM(size_not_constant)
{
	__u32 key = 0;
	__u64 *size = bpf_map_lookup_elem(&values, &key);
	void *record;

	if (!size)
		return 0;
	record = bpf_ringbuf_reserve(&events, *size, 0);
	if (record)
		bpf_ringbuf_submit(record, 0);
	return 0;
}

PROGRAM(reference_leaked)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 0;
	event->stamp = bpf_ktime_get_ns();
	if (event->stamp & 1)
		return 0;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

PROGRAM(reference_released_twice)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 0;
	bpf_ringbuf_submit(event, 0);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

PROGRAM(reference_used_after)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 0;
	bpf_ringbuf_submit(event, 0);
	return (int)event->stamp;
}

PROGRAM(reference_not_acquired)
{
	__u64 word = 0;

	bpf_ringbuf_submit(&word, 0);
	return 0;
}

PROGRAM(reference_moved)
{
	struct event *event = bpf_ringbuf_reserve(&events, 2 * sizeof(*event), 0);

	if (!event)
		return 0;
	bpf_ringbuf_submit(event + 1, 0);
	return 0;
}

PROGRAM(reference_over_tail_call)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 0;
	bpf_tail_call(ctx, &programs, 0);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?iter/task")
int helper_wrong_hook(void *ctx)
{
	char name[64];

	return bpf_d_path(ctx, name, sizeof(name)) < 0;
}
