// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for how they run: loops, calls, stack, results. */
#include "verifier.h"

struct {
	__uint(type, MAP_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

__u64 total;

#define PROGRAM(name)                                                                              \
	SEC("?raw_tp/sched_process_exec")                                                          \
	int name(void *ctx)

#define ASM_PROGRAM(name)                                                                          \
	SEC("?raw_tp/sched_process_exec")                                                          \
	NAKED int name(void)

#define FILL(array) asm volatile("" : : "r"(array) : "memory")

PROGRAM(loop_endless)
{
	for (;;)
		asm volatile("");
	return 0;
}

PROGRAM(loop_too_long)
{
	for (__u32 i = 0; i < 10000000; i++)
		total += bpf_get_prandom_u32();
	return 0;
}

PROGRAM(loop_of_branches)
{
	for (__u32 i = 0; i < 10000; i++) {
		if (bpf_get_prandom_u32() & 1)
			total++;
	}
	return 0;
}

ASM_PROGRAM(code_unreachable)
{
	asm volatile("r0 = 0\n"
		     "exit\n"
		     "r0 = 1\n"
		     "exit");
}

PROGRAM(code_without_end)
{
	asm volatile("r0 = 0");
	__builtin_unreachable();
}

ASM_PROGRAM(jump_outside)
{
	asm volatile("r0 = 0\n"
		     "if r0 == 0 goto +7\n"
		     "exit");
}

static __noinline int with_much_stack(__u32 from)
{
	char buffer[300];

	buffer[0] = (char)from;
	FILL(buffer);
	return buffer[0];
}

SEC("?xdp")
int stack_combined(void *ctx)
{
	char buffer[300];

	buffer[0] = (char)bpf_get_prandom_u32();
	FILL(buffer);
	return buffer[0] + with_much_stack(buffer[0]);
}

static __noinline int jump_away(void *ctx)
{
	bpf_tail_call(ctx, &programs, 0);
	return 0;
}

PROGRAM(stack_below_tail_call)
{
	char buffer[300];

	buffer[0] = (char)bpf_get_prandom_u32();
	FILL(buffer);
	return buffer[0] + jump_away(ctx);
}

static __noinline void jump_for_nothing(void *ctx)
{
	bpf_tail_call(ctx, &programs, 0);
}

PROGRAM(tail_call_from_void)
{
	jump_for_nothing(ctx);
	return 0;
}

static __noinline int countdown(__u32 from)
{
	int rest;

	if (from == 0)
		return 0;
	rest = countdown(from - 1);
	HIDE(rest);
	return rest + 1;
}

PROGRAM(recursion)
{
	return countdown(bpf_get_prandom_u32());
}

#define DEEPER(name, next)                                                                         \
	static __noinline int name(__u32 from)                                                     \
	{                                                                                          \
		HIDE(from);                                                                        \
		return next(from) + 1;                                                             \
	}

static __noinline int deep0(__u32 from)
{
	HIDE(from);
	return from;
}

DEEPER(deep1, deep0)
DEEPER(deep2, deep1)
DEEPER(deep3, deep2)
DEEPER(deep4, deep3)
DEEPER(deep5, deep4)
DEEPER(deep6, deep5)
DEEPER(deep7, deep6)
DEEPER(deep8, deep7)
DEEPER(deep9, deep8)
DEEPER(deep10, deep9)
DEEPER(deep11, deep10)
DEEPER(deep12, deep11)
DEEPER(deep13, deep12)
DEEPER(deep14, deep13)
DEEPER(deep15, deep14)
DEEPER(deep16, deep15)

PROGRAM(calls_too_deep)
{
	return deep16(bpf_get_prandom_u32());
}

struct pair {
	__u64 first, second;
};

__noinline int sum_of_pair(struct pair *pair)
{
	HIDE(pair);
	return (int)(pair->first + pair->second);
}

PROGRAM(global_null_check)
{
	struct pair pair = {};

	return sum_of_pair(&pair);
}

__noinline int sum_tested(struct pair *pair)
{
	HIDE(pair);
	return pair ? (int)(pair->first + pair->second) : 0;
}

PROGRAM(global_bad_argument)
{
	return sum_tested((struct pair *)bpf_get_current_task());
}

__noinline int through_void(void *anything)
{
	HIDE(anything);
	return anything != NULL;
}

PROGRAM(global_void_pointer)
{
	__u64 local = 0;

	return through_void(&local);
}

__noinline struct pair *returns_pointer(struct pair *pair)
{
	HIDE(pair);
	return pair;
}

PROGRAM(global_pointer_result)
{
	struct pair pair = {};

	return returns_pointer(&pair) != NULL;
}

SEC("?cgroup_skb/ingress")
int result_out_of_range(struct __sk_buff *skb)
{
	return 2;
}

SEC("?cgroup_skb/ingress")
int result_unknown(struct __sk_buff *skb)
{
	return skb->len;
}

SEC("?cgroup/connect4")
int result_errno(void *ctx)
{
	return -1;
}

ASM_PROGRAM(legacy_packet_load)
{
	asm volatile("r6 = r1\n"
		     "r0 = *(u8 *)skb[0]\n"
		     "exit");
}

ASM_PROGRAM(division_by_zero)
{
	asm volatile("r0 = 8\n"
		     "r0 /= 0\n"
		     "exit");
}

ASM_PROGRAM(shift_too_far)
{
	asm volatile("r0 = 8\n"
		     "r0 <<= 64\n"
		     "exit");
}

ASM_PROGRAM(opcode_unknown)
{
	asm volatile("r0 = 0\n"
		     ".byte 0xff, 0, 0, 0, 0, 0, 0, 0\n"
		     "exit");
}

ASM_PROGRAM(reserved_field)
{
	asm volatile(".byte 0xb7, 0, 1, 0, 0, 0, 0, 0\n"
		     "exit");
}
