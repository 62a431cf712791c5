// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf.h"

SEC("fentry/do_unlinkat")
int on_unlink(__u64 *ctx)
{
	return 0;
}
