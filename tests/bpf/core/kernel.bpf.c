// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/* CO-RE relocations against the running kernel: fields, bit-fields, enumerators, types. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define __core __attribute__((preserve_access_index))

typedef int pid_t;

struct list_head {
	struct list_head *next, *prev;
} __core;

struct mm_struct___mine {
	unsigned long start_stack;
} __core;

struct task_struct {
	int no_such_field;
	char comm[4];
	pid_t tgid;
	pid_t pid;
	struct list_head tasks;
	unsigned in_execve : 1;
	unsigned no_new_privs : 3;
	struct task_struct *group_leader;
	struct mm_struct___mine *mm;
} __core;

/* The kernel has these two of sk_buff one after the other inside anonymous unions. */
struct sk_buff {
	unsigned int len;
	unsigned char pkt_type : 3;
	unsigned char ip_summed : 2;
	unsigned short protocol;
} __core;

enum pid_type {
	PIDTYPE_PID = 7,
	PIDTYPE_SID = 9,
	PIDTYPE_NEVER = 12,
};

struct no_such_struct {
	int x;
} __core;

union nf_inet_addr {
	unsigned int all[4];
} __core;

unsigned long out[32];
struct task_struct *current;
struct sk_buff *packet;

SEC("raw_tp/sys_enter")
int fields(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	out[0] = BPF_CORE_READ(task, pid);
	out[1] = BPF_CORE_READ(task, tgid);
	bpf_core_read(&out[2], 1, &task->comm[3]);
	out[3] = (unsigned long)BPF_CORE_READ(task, group_leader, tasks.prev);
	out[4] = BPF_CORE_READ(task, mm, start_stack);
	out[5] = bpf_core_field_exists(task->no_such_field);
	out[6] = bpf_core_field_exists(task->comm);
	out[7] = bpf_core_field_size(task->comm);
	out[8] = bpf_core_field_offset(task->tasks);
	if (bpf_core_field_exists(task->no_such_field))
		out[9] = BPF_CORE_READ(task, no_such_field);
	return 0;
}

SEC("raw_tp/sys_enter")
int bitfields(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	out[0] = BPF_CORE_READ_BITFIELD_PROBED(task, in_execve);
	out[1] = BPF_CORE_READ_BITFIELD_PROBED(task, no_new_privs);
	out[2] = BPF_CORE_READ_BITFIELD_PROBED(packet, pkt_type);
	out[3] = BPF_CORE_READ_BITFIELD_PROBED(packet, ip_summed);
	out[4] = BPF_CORE_READ_BITFIELD_PROBED(packet, protocol);
	return 0;
}

SEC("raw_tp/sys_enter")
int types(void *ctx)
{
	out[0] = bpf_core_type_id_local(struct task_struct);
	out[1] = bpf_core_type_id_kernel(struct task_struct);
	out[2] = bpf_core_type_exists(struct task_struct);
	out[3] = bpf_core_type_size(struct list_head);
	out[4] = bpf_core_type_exists(struct no_such_struct);
	out[5] = bpf_core_type_size(struct no_such_struct);
	out[6] = bpf_core_type_id_kernel(struct no_such_struct);
	out[7] = bpf_core_type_exists(pid_t);
	out[8] = bpf_core_type_size(union nf_inet_addr);
	out[9] = bpf_core_enum_value_exists(enum pid_type, PIDTYPE_SID);
	out[10] = bpf_core_enum_value(enum pid_type, PIDTYPE_SID);
	out[11] = bpf_core_enum_value_exists(enum pid_type, PIDTYPE_NEVER);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
