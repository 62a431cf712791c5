// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Checks on live events that what a context names is what the kernel passed. The includer defines
 * WITH_TRAMPOLINE where the kernel attaches to functions and security hooks. */
#include "programs.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* What the test does, which tells these events from others. */
const volatile __u32 me;
const volatile __s64 offset = 4096;
const volatile __u64 inode;

struct count {
	__u64 right, wrong;
};

struct count switched;

static __always_inline void count(struct count *one, int right)
{
	if (right)
		one->right++;
	else
		one->wrong++;
}

static __always_inline int is_me(void)
{
	return bpf_get_current_pid_tgid() >> 32 == me;
}

SEC("tp_btf/sched_switch")
int on_switch(struct tp_btf_sched_switch_ctx *ctx)
{
	/* Whoever is switched away from is still the current one. */
	if (is_me())
		count(&switched, ctx->prev->pid == (__s32)bpf_get_current_pid_tgid() &&
					 ctx->prev != ctx->next && ctx->next->pid >= 0);
	return 0;
}

SEC("iter/task")
int show_task(struct iter_task_ctx *ctx)
{
	static const char line[] = "%d %llu\n";
	__u64 numbers[2];

	if (!ctx->task)
		return 0;
	numbers[0] = ctx->task->pid;
	numbers[1] = ctx->meta->seq_num;
	bpf_seq_printf(ctx->meta->seq, line, sizeof(line), numbers, sizeof(numbers));
	return 0;
}

#ifdef WITH_TRAMPOLINE
struct count entered, opened, exited;

SEC("fentry/vfs_fallocate")
int on_entry(struct fentry_vfs_fallocate_ctx *ctx)
{
	if (is_me())
		count(&entered, ctx->offset == offset && ctx->len == 2 * offset && ctx->mode == 1 &&
					ctx->file->f_inode->i_ino == inode);
	return 0;
}

SEC("fexit/vfs_fallocate")
int on_exit(struct fexit_vfs_fallocate_ctx *ctx)
{
	if (is_me())
		count(&exited, ctx->offset == offset && ctx->len == 2 * offset && ctx->ret == 0);
	return 0;
}

SEC("lsm/file_open")
int on_open(struct lsm_file_open_ctx *ctx)
{
	if (is_me() && ctx->file->f_inode->i_ino == inode)
		count(&opened, ctx->ret == 0);
	return ctx->ret;
}
#endif

char LICENSE[] SEC("license") = "Dual BSD/GPL";
