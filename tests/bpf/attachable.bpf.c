// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs whose sections say where to attach, one whose does not, and some that cannot be. */
#include "bpf.h"

__u64 runs;

#define COUNT(section, name)                                                                       \
	SEC(section)                                                                               \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		__sync_fetch_and_add(&runs, 1);                                                    \
		return 0;                                                                          \
	}

COUNT("raw_tp/sched_process_fork", on_fork)
COUNT("tp_btf/sched_process_fork", on_typed_fork)
COUNT("xdp", pass)
COUNT("?tracepoint/sched/sched_process_fork", on_event)
COUNT("?raw_tp/sched_process_frok", on_nothing)
COUNT("?uprobe/libc.so.6:a64l", on_a64l)
COUNT("?uretprobe/libc.so.6:a64l", after_a64l)
COUNT("?uprobe.multi/libc.so.6:a64*", on_many)
COUNT("?uprobe/libc.so.6:no_such_function", on_no_function)
COUNT("?kprobe/vfs_unlink", on_unlink)
COUNT("?kretprobe/vfs_unlink", after_unlink)
COUNT("?ksyscall/unlink", on_syscall)
COUNT("?kprobe.multi/vfs_unlin*", on_unlinks)
