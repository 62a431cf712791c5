"""Programs to begin with: their whole text; that they load is for the kernel to say."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.c_program import contexts_text, program_text
from bpfctl.btf.contexts import Context, find_context
from bpfctl.btf.decode import Btf
from tests.builders.btf import build

P = t.Param
STATIC = t.FuncLinkage.STATIC
TYPES: tuple[t.Type, ...] = (
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Int(2, "long unsigned int", 8, 0, 0, 64),
    t.Int(3, "_Bool", 1, t.IntEncoding.BOOL, 0, 8),
    t.Struct(4, "pair", 8, ()),
    t.Ptr(5, "", 4),
    t.Enum(6, "hue", 4, signed=False, values=(t.EnumValue("RED", 0),)),
    t.Typedef(7, "size_t", 2),
    t.FuncProto(8, "", 1, (P("p", 4), P("i", 1), P("size", 7), P("ptr", 5), P("more", 1))),
    t.Func(9, "work", 8, STATIC),
    t.FuncProto(10, "", 1, (P("hue", 6), P("yes", 3))),
    t.Func(11, "bpf_lsm_open", 10, STATIC),
    t.Struct(12, "bpf_iter_meta", 0, ()),
    t.Ptr(13, "", 12),
    t.FuncProto(14, "", 1, (P("meta", 13), P("task", 5))),
    t.Func(15, "bpf_iter_task", 14, STATIC),
    t.FuncProto(16, "", 0, ()),
    t.Func(17, "nothing", 16, STATIC),
)


@pytest.fixture(scope="module")
def btf() -> Btf:
    return Btf.parse(build(TYPES))


def context(btf: Btf, section: str) -> Context:
    found = find_context(btf, *section.split("/"))
    assert found is not None
    return found


def test_a_whole_program(btf: Btf) -> None:
    """Three values at most are printed, and no struct."""
    assert (
        program_text(btf, context(btf, "fexit/work"))
        == """\
/* SEC("fexit/work"): runs when work() returns.
 *
 *   bpfctl btf dump kernel format c > vmlinux.h
 *   clang -target bpf -g -O2 -c work.bpf.c -o work.bpf.o
 *   bpfctl prog load work.bpf.o /sys/fs/bpf/on_work
 *   bpfctl link create pinned /sys/fs/bpf/on_work --pin /sys/fs/bpf/on_work_link
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/* What the program gets: the arguments, each in a slot of 8 bytes, and the value returned. */
struct fexit_work_ctx {
	struct pair p;
	int i __attribute__((aligned(8)));
	size_t size;
	struct pair *ptr;
	int more __attribute__((aligned(8)));
	int ret __attribute__((aligned(8)));
};

SEC("fexit/work")
int on_work(struct fexit_work_ctx *ctx)
{
	bpf_printk("work: %d %lu %p", ctx->i, ctx->size, ctx->ptr); /* /sys/kernel/tracing/trace_pipe */
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
"""
    )


def body(btf: Btf, section: str) -> str:
    return program_text(btf, context(btf, section)).split("{\n")[-1].split("}")[0]


def test_a_hook_lets_the_decision_before_it_stand(btf: Btf) -> None:
    assert body(btf, "lsm/open").endswith("\treturn ctx->ret;\n")
    assert 'bpf_printk("open: %d %d %d", ctx->hue, ctx->yes, ctx->ret);' in body(btf, "lsm/open")


def test_a_hook_of_a_cgroup_allows(btf: Btf) -> None:
    text = program_text(btf, context(btf, "lsm_cgroup/open"))
    assert "\treturn 1;\n" in text
    assert "pinned /sys/fs/bpf/on_open cgroup /sys/fs/cgroup/YOURS --pin" in text


def test_an_iterator_writes_a_line_for_each_element(btf: Btf) -> None:
    text = program_text(btf, context(btf, "iter/task"))
    assert "\tif (!ctx->task) /* behind the last one */\n\t\treturn 0;\n" in text
    assert " *   bpfctl iter run task.bpf.o\n */" in text
    assert "prog load" not in text


def test_nothing_to_print(btf: Btf) -> None:
    assert '\tbpf_printk("nothing:");' in body(btf, "fentry/nothing")


def test_several_contexts(btf: Btf) -> None:
    found = contexts_text(btf, [context(btf, "iter.s/task"), context(btf, "fentry/nothing")])
    assert found == (
        "\nstruct iter_task_ctx {\n\tstruct bpf_iter_meta *meta;\n\tstruct pair *task;\n};\n"
        "\nstruct fentry_nothing_ctx {\n};\n"
    )


def test_only_pointers_that_every_kernel_lets_read_are_printed() -> None:
    """To a struct or to nothing; Linux 5.10 refuses all others."""
    btf = Btf.parse(
        build(
            (
                t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
                t.Struct(2, "pair", 8, ()),
                t.Const(3, "", 2),
                t.Const(4, "", 0),
                t.Ptr(5, "", 1),
                t.Ptr(6, "", 3),
                t.Ptr(7, "", 4),
                t.Ptr(8, "", 0),
                t.Ptr(9, "", 6),
                t.FuncProto(10, "", 0, tuple(P(f"p{one}", one) for one in range(5, 10))),
                t.Func(11, "point", 10, STATIC),
            )
        )
    )
    assert '"point: %p %p", ctx->p6, ctx->p8)' in program_text(btf, context(btf, "fentry/point"))
