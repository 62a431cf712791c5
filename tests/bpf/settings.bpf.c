// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Variables of many types, to be set before the load; the program copies them out. */
#include "bpf.h"

enum level { QUIET, LOUD = 5 };

struct address {
	__u16 port;
	char host[8];
};

struct config {
	int verbose;
	__u32 low : 3, high : 5;
	struct {
		signed char inside;
	};
	struct address peers[2];
	enum level level;
};

const volatile struct config cfg = {.verbose = 1};
const volatile _Bool enabled;
const volatile int limits[3];
const volatile char name[8] = "none";
volatile __u64 wide;
volatile double ratio;
static volatile __s32 hidden = -1;

int sum;

SEC("raw_tp")
int use_settings(void *ctx)
{
	sum = cfg.peers[1].port + cfg.low + limits[2] + enabled + name[0] + hidden;
	return wide;
}
