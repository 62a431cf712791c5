// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * CO-RE relocations in every kind of instruction: loads, 32- and 64-bit immediates, arithmetic.
 * Here the structs have other members in another order than the kernel's.
 */
#include "bpf.h"

struct bpf_iter_meta;

struct list_head {
	struct list_head *next, *prev;
} __core;

struct mm_struct___mine {
	unsigned long start_stack;
} __core;

struct sched_entity {
	__u64 exec_start;
} __core;

struct task_struct {
	int no_such_field;
	char comm[4];
	int tgid;
	int pid;
	struct sched_entity se;
	struct list_head tasks;
	unsigned in_execve : 1;
	unsigned in_iowait : 1;
	unsigned no_such_bits : 3;
	struct task_struct *group_leader;
	struct mm_struct___mine *mm;
	unsigned short prio; /* a signed int in the kernel */
	unsigned int nvcsw;  /* an unsigned long in the kernel */
} __core;

/* In the kernel these are inside anonymous structs and unions. */
struct sk_buff {
	unsigned char pkt_type : 3;
	unsigned char ip_summed : 2;
	unsigned short protocol;
	unsigned int len;
} __core;

union bpf_attr {
	int map_type;
	__u64 log_buf;
} __core;

enum pid_type { PIDTYPE_SID = 9, PIDTYPE_NEVER = 12 };
typedef enum { FIRST } no_such_enum_t;
typedef int pid_t;
typedef unsigned int gfp_t;

struct no_such_struct {
	int x;
} __core;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __core;

#define BYTE_OFFSET 0
#define BYTE_SIZE 1
#define EXISTS 2
#define SIGNED 3
#define LSHIFT 4
#define RSHIFT 5
#define field_info(field, what) ((__u64)__builtin_preserve_field_info(field, what))
#define type_info(type, what) __builtin_preserve_type_info(*(typeof(type) *)0, what)
#define type_id(type, what) __builtin_btf_type_id(*(typeof(type) *)0, what)
#define enum_info(type, value, what) __builtin_preserve_enum_value(*(typeof(type) *)value, what)
#define TYPE_EXISTS 0
#define TYPE_SIZE 1
#define ENUM_EXISTS 0
#define ENUM_VALUE 1

__u64 out[64];

SEC("iter/task")
int loads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (!task)
		return 0;
	out[0] = task->pid;
	out[1] = task->tgid;
	out[2] = task->comm[3];
	out[3] = (__u64)task->group_leader->tasks.prev;
	out[4] = task->se.exec_start;
	out[5] = task->group_leader->group_leader->pid;
	out[6] = task->nvcsw;
	if (task->mm)
		out[7] = task->mm->start_stack;
	if (field_info(task->no_such_field, EXISTS))
		out[8] = task->no_such_field;
	return 0;
}

SEC("iter/task")
int facts(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct sk_buff *packet = (void *)task;
	union bpf_attr *attr = (void *)task;

	out[0] = field_info(task->comm, BYTE_SIZE);
	out[1] = field_info(task->tasks.prev, BYTE_OFFSET);
	out[2] = field_info(task->comm[2], BYTE_OFFSET);
	out[3] = field_info(task->pid, SIGNED);
	out[4] = field_info(task->nvcsw, SIGNED);
	out[5] = field_info(task->no_such_field, EXISTS);
	out[6] = field_info(task->prio, LSHIFT) << 8 | field_info(task->prio, RSHIFT);
	out[7] = field_info(attr->log_buf, BYTE_OFFSET);
	out[8] = field_info(packet->protocol, BYTE_SIZE);
	out[9] = field_info(packet->protocol, EXISTS);
	out[10] = field_info(packet[3].len, BYTE_OFFSET);
	return 0;
}

SEC("iter/task")
int bits(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct sk_buff *packet = (void *)task;

	out[0] = field_info(task->in_execve, BYTE_OFFSET);
	out[1] = field_info(task->in_execve, BYTE_SIZE);
	out[2] = field_info(task->in_execve, LSHIFT);
	out[3] = field_info(task->in_execve, RSHIFT);
	out[4] = field_info(task->in_execve, SIGNED);
	out[5] = field_info(task->in_iowait, LSHIFT);
	out[6] = field_info(task->no_such_bits, EXISTS);
	if (field_info(task->no_such_bits, EXISTS))
		out[7] = field_info(task->no_such_bits, LSHIFT);
	out[8] = field_info(packet->pkt_type, BYTE_OFFSET);
	out[9] = field_info(packet->pkt_type, LSHIFT);
	out[10] = field_info(packet->ip_summed, BYTE_SIZE);
	out[11] = field_info(packet->ip_summed, LSHIFT);
	out[12] = field_info(packet->ip_summed, RSHIFT);
	return 0;
}

SEC("iter/task")
int types(struct bpf_iter__task *ctx)
{
	out[0] = type_id(struct task_struct, 0);
	out[1] = type_id(struct task_struct, 1);
	out[2] = type_info(struct task_struct, TYPE_EXISTS);
	out[3] = type_info(struct list_head, TYPE_SIZE);
	out[4] = type_info(struct task_struct, TYPE_SIZE);
	out[5] = type_info(struct no_such_struct, TYPE_EXISTS);
	out[6] = type_info(struct no_such_struct, TYPE_SIZE);
	out[7] = type_id(struct no_such_struct, 1);
	out[8] = type_info(pid_t, TYPE_EXISTS);
	out[9] = type_info(gfp_t, TYPE_SIZE);
	out[10] = type_info(union bpf_attr, TYPE_SIZE);
	out[11] = enum_info(enum pid_type, PIDTYPE_SID, ENUM_EXISTS);
	out[12] = enum_info(enum pid_type, PIDTYPE_SID, ENUM_VALUE);
	out[13] = enum_info(enum pid_type, PIDTYPE_NEVER, ENUM_EXISTS);
	out[14] = enum_info(no_such_enum_t, FIRST, ENUM_EXISTS);
	if (enum_info(enum pid_type, PIDTYPE_NEVER, ENUM_EXISTS))
		out[15] = enum_info(enum pid_type, PIDTYPE_NEVER, ENUM_VALUE);
	return 0;
}
