// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Not supported yet: values of the kernel's configuration. */
#include "bpf.h"

extern int LINUX_KERNEL_VERSION SEC(".kconfig");
extern int CONFIG_NO_SUCH_THING SEC(".kconfig") __weak;

SEC("raw_tp")
int use_kconfig(void *ctx)
{
	return LINUX_KERNEL_VERSION + CONFIG_NO_SUCH_THING;
}
