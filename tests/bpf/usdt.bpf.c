// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A static probe whose arguments are found as libbpf's programs find them. */
#include "bpf.h"

enum { CONSTANT, IN_REGISTER, BEHIND_REGISTER };
enum { INSTRUCTION = 16 }; /* the word of struct pt_regs of x86-64 */

struct __bpf_usdt_arg_spec {
	__u64 val_off;
	int arg_type;
	short reg_off;
	char arg_signed;
	char arg_bitshift;
};

struct __bpf_usdt_spec {
	struct __bpf_usdt_arg_spec args[12];
	__u64 usdt_cookie;
	short arg_cnt;
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 256);
	__type(key, int);
	__type(value, struct __bpf_usdt_spec);
} __bpf_usdt_specs SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 256);
	__type(key, long);
	__type(value, __u32);
} __bpf_usdt_ip_to_spec_id SEC(".maps");

extern _Bool LINUX_HAS_BPF_COOKIE SEC(".kconfig") __weak;

struct {
	__u64 runs;
	__u64 count; /* of arguments */
	__u64 cookie;
	__u64 sums[4]; /* of each argument */
} seen;

static __u64 (*bpf_get_attach_cookie)(void *ctx) = (void *)174;
static long (*bpf_probe_read_user)(void *dst, __u32 size, const void *src) = (void *)112;

static __always_inline long argument(void *ctx, struct __bpf_usdt_arg_spec *arg)
{
	__u64 value = arg->val_off;

	if (arg->arg_type != CONSTANT)
		bpf_probe_read_kernel(&value, sizeof(value), ctx + arg->reg_off);
	if (arg->arg_type == BEHIND_REGISTER)
		bpf_probe_read_user(&value, sizeof(value), (void *)(value + arg->val_off));
	value <<= arg->arg_bitshift & 63;
	return arg->arg_signed ? (long)value >> (arg->arg_bitshift & 63) : value >> (arg->arg_bitshift & 63);
}

static __always_inline int look(void *ctx)
{
	struct __bpf_usdt_spec *spec;
	int id;

	if (LINUX_HAS_BPF_COOKIE) {
		id = bpf_get_attach_cookie(ctx);
	} else {
		long place = ((long *)ctx)[INSTRUCTION];
		int *found = bpf_map_lookup_elem(&__bpf_usdt_ip_to_spec_id, &place);

		if (!found)
			return 0;
		id = *found;
	}
	spec = bpf_map_lookup_elem(&__bpf_usdt_specs, &id);
	if (!spec)
		return 0;
	seen.runs++;
	seen.count += spec->arg_cnt;
	seen.cookie = spec->usdt_cookie;
#pragma unroll
	for (int i = 0; i < 4; i++)
		seen.sums[i] += argument(ctx, &spec->args[i]);
	return 0;
}

SEC("usdt")
int on_probe(void *ctx)
{
	return look(ctx);
}

SEC("?usdt/own-program:own:probe")
int on_own_probe(void *ctx)
{
	return look(ctx);
}
