// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf.h"

/* do_unlinkat went away in Linux 7.x; this one is in all. */
SEC("fentry/vfs_unlink")
int on_unlink(__u64 *ctx)
{
	return 0;
}
