// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that are run on data: one sends records through a ring, others change what they get. */
#include "bpf.h"

static void (*bpf_ringbuf_discard)(void *data, __u64 flags) = (void *)133;

struct xdp_md {
	__u32 data, data_end;
};

struct event {
	__u64 number;
	char text[8];
};

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct event);
} last SEC(".maps");

/* Every third record is discarded. */
SEC("raw_tp")
int send(__u64 *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 1;
	event->number = ctx[0];
	__builtin_memcpy(event->text, "record\0", 8);
	if (event->number % 3 == 2)
		bpf_ringbuf_discard(event, 0);
	else
		bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("xdp")
int mark(struct xdp_md *ctx)
{
	char *data = (char *)(long)ctx->data, *end = (char *)(long)ctx->data_end;

	if (data + 1 > end)
		return 0;
	data[0] = 'X';
	return XDP_PASS;
}

SEC("?syscall")
int increment(__u64 *ctx)
{
	ctx[0]++;
	return 7;
}
