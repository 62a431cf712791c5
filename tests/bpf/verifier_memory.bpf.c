// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses for what they do with memory. */
#include "verifier.h"

struct entry {
	__u32 count;
	__s32 index;
	__u64 total;
	char name[16];
	__u64 slots[16];
};

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
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct entry);
} table SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, 1 << 7); /* BPF_F_RDONLY_PROG */
	__type(key, __u32);
	__type(value, __u64);
} settings SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, 1 << 8); /* BPF_F_WRONLY_PROG */
	__type(key, __u32);
	__type(value, __u64);
} results SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

const volatile int limit = 7;

#define PROGRAM(name)                                                                              \
	SEC("?raw_tp/sched_process_exec")                                                          \
	int name(void *ctx)

#define ASM_PROGRAM(name)                                                                          \
	SEC("?raw_tp/sched_process_exec")                                                          \
	NAKED int name(void)

static __always_inline struct entry *first_entry(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&table, &key);
}

PROGRAM(null_map_value)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&values, &key);

	return (int)*value;
}

PROGRAM(null_other_tested)
{
	__u32 key = 0, other = 1;
	__u64 *old = bpf_map_lookup_elem(&values, &key);
	__u64 *new = bpf_map_lookup_elem(&values, &other);

	if (!new)
		return 0;
	*new += 1;
	return (int)*old;
}

PROGRAM(null_ringbuf)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	event->stamp = bpf_ktime_get_ns();
	bpf_ringbuf_submit(event, 0);
	return 0;
}

PROGRAM(null_argument)
{
	__u32 key = 0;
	void *value = bpf_map_lookup_elem(&values, &key);

	return bpf_map_update_elem(&values, &key, value, 0);
}

PROGRAM(null_arithmetic)
{
	__u32 key = bpf_get_prandom_u32();
	struct entry *entry = bpf_map_lookup_elem(&table, &key);

	bpf_get_current_comm(entry->name, sizeof(entry->name));
	return 0;
}

PROGRAM(scalar_dereference)
{
	__u64 *task = (void *)bpf_get_current_task();

	return (int)*task;
}

PROGRAM(scalar_from_map)
{
	struct entry *entry = first_entry();
	__u64 *kept;

	if (!entry)
		return 0;
	kept = (void *)entry->total;
	return (int)kept[2];
}

SEC("?raw_tp/sched_process_exec")
void register_no_return_value(void *ctx)
{
}

ASM_PROGRAM(register_after_call)
{
	asm volatile("call 5\n"
		     "r0 = *(u64 *)(r1 + 0)\n"
		     "exit");
}

ASM_PROGRAM(register_missing_argument)
{
	asm volatile("r1 = r10\n"
		     "r1 += -16\n"
		     "call 16\n"
		     "exit");
}

ASM_PROGRAM(stack_below)
{
	asm volatile("r0 = 0\n"
		     "*(u64 *)(r10 - 520) = r0\n"
		     "exit");
}

PROGRAM(stack_helper_size)
{
	char comm[16];

	bpf_get_current_comm(comm, 2 * sizeof(comm));
	return comm[0];
}

PROGRAM(stack_variable)
{
	char digits[16] = {};
	__u32 digit = bpf_get_prandom_u32();

	digits[digit] = 1;
	asm volatile("" : : "r"(digits) : "memory");
	return 0;
}

PROGRAM(map_value_bounds)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&values, &key);

	return value ? (int)value[1] : 0;
}

PROGRAM(index_unbounded)
{
	struct entry *entry = first_entry();

	if (!entry)
		return 0;
	return (int)entry->slots[entry->count];
}

PROGRAM(index_64bit)
{
	struct entry *entry = first_entry();

	if (!entry)
		return 0;
	return (int)entry->slots[entry->total];
}

PROGRAM(index_negative)
{
	struct entry *entry = first_entry();
	__s32 index;

	if (!entry)
		return 0;
	index = entry->index;
	if (index > 15)
		return 0;
	return (int)entry->slots[index];
}

PROGRAM(index_signed_char)
{
	struct entry *entry = first_entry();

	if (!entry)
		return 0;
	return (int)entry->slots[(signed char)entry->name[0]];
}

PROGRAM(index_off_by_one)
{
	struct entry *entry = first_entry();
	__u32 count;

	if (!entry)
		return 0;
	count = entry->count;
	if (count > 16)
		return 0;
	return (int)entry->slots[count];
}

PROGRAM(size_unbounded)
{
	struct entry *entry = first_entry();
	char text[64];

	if (!entry)
		return 0;
	bpf_probe_read_kernel(text, entry->count, ctx);
	return text[0];
}

PROGRAM(size_negative)
{
	struct entry *entry = first_entry();
	char text[64];
	__s32 size;

	if (!entry)
		return 0;
	size = entry->index;
	if (size > 64)
		return 0;
	bpf_probe_read_kernel(text, size, ctx);
	return text[0];
}

PROGRAM(size_negative_long)
{
	struct entry *entry = first_entry();
	char text[64] = {};
	__s64 size;

	if (!entry)
		return 0;
	size = (__s64)entry->total;
	if (size > 64)
		return 0;
	return bpf_ringbuf_output(&events, text, size, 0);
}

PROGRAM(size_beyond_value)
{
	struct entry *entry = first_entry();

	if (!entry)
		return 0;
	bpf_probe_read_kernel(entry->slots, 2 * sizeof(entry->slots), ctx);
	return 0;
}

PROGRAM(size_maybe_zero)
{
	struct entry *entry = first_entry();
	char comm[16];
	__u32 size;

	if (!entry)
		return 0;
	size = entry->count;
	if (size > sizeof(comm))
		return 0;
	bpf_get_current_comm(comm, size);
	return comm[0];
}

PROGRAM(record_bounds)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 0;
	(&event->stamp)[1] = 1;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

PROGRAM(constant_written)
{
	*(volatile int *)&limit = 8;
	return 0;
}

PROGRAM(read_only_map_written)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&settings, &key);

	if (value)
		*value = 1;
	return 0;
}

PROGRAM(write_only_map_read)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&results, &key);

	return value ? (int)*value : 0;
}

ASM_PROGRAM(map_pointer_arithmetic)
{
	asm volatile("r1 = %[map] ll\n"
		     "r1 += 8\n"
		     "r0 = 0\n"
		     "exit"
		     :
		     : [map] "i"(&values));
}

ASM_PROGRAM(map_pointer_written)
{
	asm volatile("r1 = %[map] ll\n"
		     "r0 = 0\n"
		     "*(u64 *)(r1 + 0) = r0\n"
		     "exit"
		     :
		     : [map] "i"(&values));
}

PROGRAM(pointer_bits)
{
	struct entry *entry = first_entry();
	__u64 address = (__u64)entry;

	if (!entry)
		return 0;
	address &= ~63ULL;
	return (int)*(__u64 *)address;
}

PROGRAM(pointer_sum)
{
	struct entry *entry = first_entry();
	__u64 address = (__u64)entry;

	if (!entry)
		return 0;
	address += (__u64)ctx;
	return (int)*(__u64 *)address;
}

ASM_PROGRAM(pointer_half)
{
	asm volatile("w1 += 4\n"
		     "r0 = 0\n"
		     "exit");
}

PROGRAM(pointer_far)
{
	struct entry *entry = first_entry();
	__u64 far;

	if (!entry)
		return 0;
	asm volatile("%0 = 1\n"
		     "%0 <<= 31"
		     : "=r"(far));
	return (int)*(__u64 *)((char *)entry + far);
}

ASM_PROGRAM(stack_misaligned)
{
	asm volatile("r0 = 0\n"
		     "*(u64 *)(r10 - 12) = r0\n"
		     "exit");
}

ASM_PROGRAM(frame_pointer_written)
{
	asm volatile("r10 = 0\n"
		     "r0 = 0\n"
		     "exit");
}

ASM_PROGRAM(spilled_half_read)
{
	asm volatile("*(u64 *)(r10 - 8) = r1\n"
		     "r0 = *(u32 *)(r10 - 8)\n"
		     "exit");
}

ASM_PROGRAM(context_atomic)
{
	asm volatile("r0 = 1\n"
		     "lock *(u64 *)(r1 + 0) += r0\n"
		     "r0 = 0\n"
		     "exit");
}

PROGRAM(different_pointers)
{
	__u64 local = 1;
	__u64 *from = ctx;

	if (bpf_get_prandom_u32() & 1)
		from = &local;
	HIDE(from);
	return (int)*from;
}
