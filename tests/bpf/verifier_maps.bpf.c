// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program that the verifier refuses for the number of its maps: 65, and 64 are allowed. */
#include "verifier.h"

#define MAP(name)                                                                                  \
	struct {                                                                                   \
		__uint(type, MAP_ARRAY);                                                           \
		__uint(max_entries, 1);                                                            \
		__uint(key_size, 4);                                                               \
		__uint(value_size, 4);                                                             \
	} name SEC(".maps");
#define USE(name) asm volatile("" : : "r"(&name));

#define FOUR(what, name) what(name##0) what(name##1) what(name##2) what(name##3)
#define SIXTEEN(what, name)                                                                        \
	FOUR(what, name##0) FOUR(what, name##1) FOUR(what, name##2) FOUR(what, name##3)
#define ALL(what)                                                                                  \
	SIXTEEN(what, a) SIXTEEN(what, b) SIXTEEN(what, c) SIXTEEN(what, d) what(last)

ALL(MAP)

SEC("?raw_tp/sched_process_exec")
int maps_too_many(void *ctx)
{
	ALL(USE)
	return 0;
}
