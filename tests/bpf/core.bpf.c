// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* CO-RE relocations: field offset, size, existence and sign, bit-fields, types, enum values. */
#include "bpf.h"
#include "kernel_types.h"

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __core;

struct task_struct___gone {
	int no_such_member;
} __core;

struct no_such_struct {
	int x;
} __core;

enum bpf_map_type { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_RINGBUF = 77 };
enum bpf_cmd___gone { BPF_NO_SUCH_COMMAND = 5 };

#define FIELD_SIZE 1
#define FIELD_EXISTS 2
#define FIELD_SIGNED 3
#define field_info(field, what) __builtin_preserve_field_info(field, what)
#define type_exists(type) __builtin_preserve_type_info(*(typeof(type) *)0, 0)
#define type_size(type) __builtin_preserve_type_info(*(typeof(type) *)0, 1)
#define type_id_local(type) __builtin_btf_type_id(*(typeof(type) *)0, 0)
#define type_id_kernel(type) __builtin_btf_type_id(*(typeof(type) *)0, 1)
#define enum_exists(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 0)
#define enum_value(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 1)

struct {
	int pid_size, comm_size, pid_signed, gone_exists, real_exists;
	int no_struct, task_exists, id_local, id_kernel;
	int ringbuf_exists, ringbuf_value, gone_enum;
	__u64 task_size;
} found;

SEC("iter/task")
int use_core(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct task_struct___gone *gone = (void *)task;

	if (!task)
		return 0;
	found.pid_size = field_info(task->pid, FIELD_SIZE);
	found.comm_size = field_info(task->comm, FIELD_SIZE);
	found.pid_signed = field_info(task->pid, FIELD_SIGNED);
	found.gone_exists = field_info(gone->no_such_member, FIELD_EXISTS);
	found.real_exists = field_info(task->tgid, FIELD_EXISTS);
	found.no_struct = type_exists(struct no_such_struct);
	found.task_exists = type_exists(struct task_struct);
	found.task_size = type_size(struct task_struct);
	found.id_local = type_id_local(struct task_struct);
	found.id_kernel = type_id_kernel(struct task_struct);
	found.ringbuf_exists = enum_exists(enum bpf_map_type, BPF_MAP_TYPE_RINGBUF);
	found.ringbuf_value = enum_value(enum bpf_map_type, BPF_MAP_TYPE_RINGBUF);
	found.gone_enum = enum_exists(enum bpf_cmd___gone, BPF_NO_SUCH_COMMAND);
	if (field_info(gone->no_such_member, FIELD_EXISTS))
		return gone->no_such_member;
	seq_print(ctx->meta->seq, "%d %d\n", task->real_parent->pid, found.ringbuf_value);
	return 0;
}
