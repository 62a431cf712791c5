// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Loads one program of an object with libbpf and pins it: bpftool loads all of them or none.
 *
 * load_one OBJECT PROGRAM PATH
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

static int fail(const char *what)
{
	fprintf(stderr, "Error: failed to %s\n", what);
	return 1;
}

int main(int argc, char **argv)
{
	struct bpf_program *program, *chosen = NULL;
	struct bpf_object *object;

	if (argc != 4)
		return fail("understand the arguments");
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		return fail("open object file");
	bpf_object__for_each_program(program, object) {
		bool wanted = strcmp(bpf_program__name(program), argv[2]) == 0;

		bpf_program__set_autoload(program, wanted);
		if (wanted)
			chosen = program;
	}
	if (!chosen)
		return fail("find the program");
	if (bpf_object__load(object))
		return fail("load object file");
	if (bpf_program__pin(chosen, argv[3]))
		return fail("pin program");
	return 0;
}
