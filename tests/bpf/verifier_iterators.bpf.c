// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for open-coded iterators and other kfuncs of Linux 6.4. */
#include "verifier.h"

struct bpf_iter_num {
	__u64 opaque;
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

struct bpf_dynptr {
	__u64 opaque[2];
};

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;

__u64 seen;

#define PROGRAM(name)                                                                              \
	SEC("?raw_tp/sched_process_exec")                                                          \
	int name(void *ctx)

PROGRAM(iterator_unset)
{
	struct bpf_iter_num it;
	int *number = bpf_iter_num_next(&it);

	return number != NULL;
}

PROGRAM(iterator_kept)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 10);
	while (bpf_iter_num_next(&it))
		seen++;
	return 0;
}

PROGRAM(iterator_unchecked)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 10);
	seen += *bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return 0;
}

PROGRAM(iterator_made_twice)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 10);
	bpf_iter_num_new(&it, 0, 10);
	bpf_iter_num_destroy(&it);
	return 0;
}

PROGRAM(kfunc_elsewhere)
{
	struct bpf_dynptr packet;

	return bpf_dynptr_from_skb(ctx, 0, &packet);
}
