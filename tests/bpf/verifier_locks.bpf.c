// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for locks. */
#include "verifier.h"

struct bpf_spin_lock {
	__u32 val;
};

struct counter {
	struct bpf_spin_lock lock;
	__u32 count;
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

static __always_inline struct counter *counter_of(__u32 key)
{
	return bpf_map_lookup_elem(&counters, &key);
}

SEC("?tc")
int lock_kept(struct __sk_buff *skb)
{
	struct counter *one = counter_of(0);

	if (!one)
		return 0;
	bpf_spin_lock(&one->lock);
	one->count++;
	if (one->count > 100)
		return 0;
	bpf_spin_unlock(&one->lock);
	return 0;
}

SEC("?tc")
int lock_and_call(struct __sk_buff *skb)
{
	struct counter *one = counter_of(0);

	if (!one)
		return 0;
	bpf_spin_lock(&one->lock);
	one->count = bpf_get_prandom_u32();
	bpf_spin_unlock(&one->lock);
	return 0;
}

SEC("?tc")
int lock_twice(struct __sk_buff *skb)
{
	struct counter *one = counter_of(0), *other = counter_of(1);

	if (!one || !other)
		return 0;
	bpf_spin_lock(&one->lock);
	bpf_spin_lock(&other->lock);
	one->count = other->count;
	bpf_spin_unlock(&other->lock);
	bpf_spin_unlock(&one->lock);
	return 0;
}

SEC("?tc")
int lock_never_taken(struct __sk_buff *skb)
{
	struct counter *one = counter_of(0);

	if (one)
		bpf_spin_unlock(&one->lock);
	return 0;
}

SEC("?tc")
int lock_mixed_up(struct __sk_buff *skb)
{
	struct counter *one = counter_of(0), *other = counter_of(1);

	if (!one || !other)
		return 0;
	bpf_spin_lock(&one->lock);
	bpf_spin_unlock(&other->lock);
	return 0;
}

SEC("?tc")
int lock_read(struct __sk_buff *skb)
{
	struct counter *one = counter_of(0);

	return one ? one->lock.val : 0;
}

SEC("?raw_tp/sched_process_exec")
int lock_when_tracing(void *ctx)
{
	struct counter *one = counter_of(0);

	if (!one)
		return 0;
	bpf_spin_lock(&one->lock);
	one->count++;
	bpf_spin_unlock(&one->lock);
	return 0;
}
