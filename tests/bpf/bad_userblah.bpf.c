// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf.h"

SEC("userblah")
int trigger_me(void *ctx)
{
	return 0;
}
