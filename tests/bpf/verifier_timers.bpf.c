// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for timers (Linux 5.15). */
#include "verifier.h"

struct bpf_timer {
	__u64 opaque[2];
};

struct alarm {
	struct bpf_timer timer;
	__u64 count;
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct alarm);
} alarms SEC(".maps"), others SEC(".maps");

static __always_inline struct alarm *alarm_of(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&alarms, &key);
}

SEC("?tc")
int timer_read(struct __sk_buff *skb)
{
	struct alarm *one = alarm_of();

	return one ? (int)one->timer.opaque[0] : 0;
}

SEC("?tc")
int timer_of_other_map(struct __sk_buff *skb)
{
	struct alarm *one = alarm_of();

	if (one)
		bpf_timer_init(&one->timer, &others, 0);
	return 0;
}

SEC("?tc")
int timer_misplaced(struct __sk_buff *skb)
{
	struct alarm *one = alarm_of();

	if (one)
		bpf_timer_start(&one->count, 1000, 0);
	return 0;
}

SEC("?raw_tp/sched_process_exec")
int timer_when_tracing(void *ctx)
{
	struct alarm *one = alarm_of();

	if (one)
		bpf_timer_init(&one->timer, &alarms, 0);
	return 0;
}
