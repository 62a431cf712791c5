// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* An arena with variables in it; clang 14 does not cast between address spaces by itself. */
#include "bpf.h"

#define __arena_global SEC(".addr_space.1")

/* r = (kernel's address of the arena's r), include/uapi/linux/bpf.h: BPF_ADDR_SPACE_CAST. */
#define cast_kern(pointer)                                                                         \
	({                                                                                         \
		register void *r1 asm("r1") = (void *)(pointer);                                   \
		asm volatile(".byte 0xbf, 0x11, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00" : "+r"(r1));   \
		(typeof(pointer))r1;                                                               \
	})

struct {
	__uint(type, MAP_ARENA);
	__uint(map_flags, F_MMAPABLE);
	__uint(max_entries, 4);
} arena SEC(".maps");

int zero __arena_global;
int answer __arena_global = 42;

int seen;

SEC("syscall")
int use_arena(void *ctx)
{
	int *place = cast_kern(&answer);
	void *map = &arena;

	asm volatile("" : : "r"(map));
	seen = *place;
	*place = 43;
	return 0;
}
