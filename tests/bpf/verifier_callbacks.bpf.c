// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for their callbacks (Linux 5.13, bpf_loop 5.17). */
#include "verifier.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

static long stop_at_two(void *map, __u32 *key, __u64 *value, void *data)
{
	return 2;
}

SEC("?raw_tp/sched_process_exec")
int callback_result(void *ctx)
{
	bpf_for_each_map_elem(&numbers, stop_at_two, NULL, 0);
	return 0;
}

static long read_behind(void *map, __u32 *key, __u64 *value, void *data)
{
	return value[1] & 1;
}

SEC("?raw_tp/sched_process_exec")
int callback_bounds(void *ctx)
{
	bpf_for_each_map_elem(&numbers, read_behind, NULL, 0);
	return 0;
}

static long read_data(__u32 index, __u64 *data)
{
	return *data & 1;
}

SEC("?raw_tp/sched_process_exec")
int callback_null(void *ctx)
{
	bpf_loop(4, read_data, NULL, 0);
	return 0;
}

long visible(__u32 index, void *data)
{
	return 0;
}

SEC("?raw_tp/sched_process_exec")
int callback_not_static(void *ctx)
{
	bpf_loop(4, visible, NULL, 0);
	return 0;
}

static const char no_end[3] = {'a', 'b', 'c'};

SEC("?raw_tp/sched_process_exec")
int string_without_end(void *ctx)
{
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	return bpf_strncmp(comm, sizeof(comm), no_end);
}

SEC("?raw_tp/sched_process_exec")
int format_on_stack(void *ctx)
{
	char text[16], format[] = "%d";
	__u64 number = 1;

	bpf_snprintf(text, sizeof(text), format, &number, sizeof(number));
	return text[0];
}

extern int schedule_timeout_idle(long timeout) __ksym;

SEC("?raw_tp/sched_process_exec")
int kernel_function(void *ctx)
{
	return schedule_timeout_idle(1);
}
