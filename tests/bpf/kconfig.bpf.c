// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Values of the kernel's configuration, of every type; copied to where user space sees them. */
#include "bpf.h"

typedef _Bool bool;
enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };

extern int LINUX_KERNEL_VERSION SEC(".kconfig");
extern bool LINUX_HAS_BPF_COOKIE SEC(".kconfig") __weak;
extern bool LINUX_HAS_SYSCALL_WRAPPER SEC(".kconfig") __weak;
extern bool CONFIG_BPF_SYSCALL SEC(".kconfig");
extern enum libbpf_tristate CONFIG_BPF_JIT SEC(".kconfig") __weak;
extern char CONFIG_NET SEC(".kconfig");
extern unsigned int CONFIG_HZ SEC(".kconfig") __weak;
extern __u64 CONFIG_NR_CPUS SEC(".kconfig") __weak;
extern short CONFIG_LOG_BUF_SHIFT SEC(".kconfig") __weak;
extern const char CONFIG_CC_VERSION_TEXT[8] SEC(".kconfig") __weak;
extern int CONFIG_NO_SUCH_THING SEC(".kconfig") __weak;

int version;
bool cookie, wrapper, syscall;
int jit;
char net;
unsigned int hz;
__u64 cpus;
short shift;
char text[8];
int nothing;

SEC("raw_tp")
int use_kconfig(void *ctx)
{
	version = LINUX_KERNEL_VERSION;
	cookie = LINUX_HAS_BPF_COOKIE;
	wrapper = LINUX_HAS_SYSCALL_WRAPPER;
	syscall = CONFIG_BPF_SYSCALL;
	jit = CONFIG_BPF_JIT;
	net = CONFIG_NET;
	hz = CONFIG_HZ;
	cpus = CONFIG_NR_CPUS;
	shift = CONFIG_LOG_BUF_SHIFT;
	for (int i = 0; i < sizeof(text); i++)
		text[i] = CONFIG_CC_VERSION_TEXT[i];
	nothing = CONFIG_NO_SUCH_THING;
	return 0;
}
