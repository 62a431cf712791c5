"""Contexts by name: which slots a program gets, for each kind of target."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.c_dump import FOOT, POP, Wanted, c_header
from bpfctl.btf.contexts import Context, ContextMember, all_contexts, context_kind, find_context
from bpfctl.btf.decode import Btf
from bpfctl.errors import BtfError
from tests.builders.btf import build

P, C = t.Param, ContextMember
STATIC = t.FuncLinkage.STATIC

# The ids of what the prototypes are made of.
INT, BOOL, VOID_P, TASK_P, PAIR, BIG, META_P = 1, 2, 3, 5, 6, 7, 9
TYPES: tuple[t.Type, ...] = (
    t.Int(INT, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Int(BOOL, "_Bool", 1, t.IntEncoding.BOOL, 0, 8),
    t.Ptr(VOID_P, "", 0),
    t.Struct(4, "task_struct", 4, (t.Member("pid", INT, 0),)),
    t.Ptr(TASK_P, "", 4),
    t.Struct(PAIR, "pair", 12, (t.Member("a", INT, 0), t.Member("b", INT, 64))),
    t.Struct(BIG, "big", 104, ()),
    t.Struct(8, "bpf_iter_meta", 0, ()),
    t.Ptr(META_P, "", 8),
    t.FuncProto(10, "", 0, (P("__data", VOID_P), P("preempt", BOOL), P("prev", TASK_P))),
    t.Func(11, "__traceiter_sched", 10, STATIC),
    t.FuncProto(12, "", 0, (P("", VOID_P), P("", TASK_P))),
    t.Ptr(13, "", 12),
    t.Typedef(14, "btf_trace_sched", 13),
    t.Typedef(15, "btf_trace_nameless", 13),
    t.FuncProto(16, "", INT, (P("task", TASK_P), P("ret", INT))),
    t.Func(17, "bpf_lsm_task_alloc", 16, STATIC),
    t.FuncProto(18, "", 0, (P("task", TASK_P),)),
    t.Func(19, "bpf_lsm_task_free", 18, STATIC),
    t.FuncProto(20, "", INT, (P("meta", META_P), P("task", TASK_P))),
    t.Func(21, "bpf_iter_task", 20, STATIC),
    t.Func(22, "bpf_iter_task_new", 16, STATIC),
    t.FuncProto(23, "", INT, (P("both", PAIR), P("", INT))),
    t.Func(24, "takes_pair", 23, STATIC),
    t.FuncProto(25, "", 0, ()),
    t.Func(26, "nothing", 25, STATIC),
    t.FuncProto(27, "", INT, (P("fmt", VOID_P), P("", 0))),
    t.Func(28, "printk", 27, STATIC),
    t.FuncProto(29, "", PAIR, (P("x", INT),)),
    t.Func(30, "gives_pair", 29, STATIC),
    t.FuncProto(31, "", INT, (P("much", BIG),)),
    t.Func(32, "takes_much", 31, STATIC),
    t.Struct(33, "bpf_iter__task", 16, ()),
    t.Func(34, "bpf_iter_get_info", 20, STATIC),
    t.FuncProto(35, "", INT, (P("task", TASK_P),)),
    t.Func(36, "kfunc", 35, STATIC),
    t.FuncProto(37, "", INT, (P("task", TASK_P), P("aux", VOID_P))),
    t.Func(38, "kfunc_impl", 37, STATIC),
    t.Func(39, "other", 35, STATIC),
    t.Func(40, "other_impl", 23, STATIC),
)


@pytest.fixture(scope="module")
def btf() -> Btf:
    return Btf.parse(build(TYPES))


@pytest.mark.parametrize(
    ("word", "target", "members"),
    [
        pytest.param(
            "tp_btf", "sched", (C("preempt", BOOL), C("prev", TASK_P)), id="without __data"
        ),
        pytest.param("raw_tp", "sched", (C("preempt", BOOL), C("prev", TASK_P)), id="raw_tp"),
        pytest.param("tp_btf", "nameless", (C("arg0", TASK_P),), id="nameless tracepoint"),
        pytest.param(
            "lsm", "task_alloc", (C("task", TASK_P), C("ret", INT), C("ret_value", INT)),
            id="a parameter called ret",
        ),
        pytest.param("lsm.s", "task_free", (C("task", TASK_P),), id="hook without a value"),
        pytest.param("iter", "task", (C("meta", META_P), C("task", TASK_P)), id="iterator"),
        pytest.param("fentry", "takes_pair", (C("both", PAIR), C("arg1", INT)), id="fentry"),
        pytest.param(
            "fexit", "takes_pair", (C("both", PAIR), C("arg1", INT), C("ret", INT)), id="fexit"
        ),
        pytest.param(
            "fmod_ret.s", "takes_pair", (C("both", PAIR), C("arg1", INT), C("ret", INT)),
            id="fmod_ret",
        ),
        pytest.param("fexit", "nothing", (), id="no members"),
        pytest.param(
            "fexit", "kfunc", (C("task", TASK_P), C("aux", VOID_P), C("ret", INT)),
            id="arguments that the verifier fills in",
        ),
        pytest.param(
            "fexit", "other", (C("task", TASK_P), C("ret", INT)), id="another function's name"
        ),
    ],
)  # fmt: skip
def test_members(btf: Btf, word: str, target: str, members: tuple[ContextMember, ...]) -> None:
    plain = word.removesuffix(".s")
    expected = Context(f"{word}/{target}", f"{plain}_{target}_ctx", members)
    assert find_context(btf, word, target) == expected


@pytest.mark.parametrize(
    ("word", "target"),
    [
        pytest.param("fentry", "no_such", id="no such function"),
        pytest.param("tp_btf", "no_such", id="no such tracepoint"),
        pytest.param("xdp", "sched", id="no tracing program"),
    ],
)
def test_no_context(btf: Btf, word: str, target: str) -> None:
    assert find_context(btf, word, target) is None


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param("printk", "takes a variable number of arguments", id="variadic"),
        pytest.param("gives_pair", "returns a struct", id="struct"),
        pytest.param("takes_much", "takes more than 12 words of arguments", id="too many"),
    ],
)
def test_nothing_attaches_to_these(btf: Btf, target: str, message: str) -> None:
    with pytest.raises(BtfError) as caught:
        find_context(btf, "fentry", target)
    assert caught.value.message == f"{target} {message}: no program can be attached to it"


def test_all(btf: Btf) -> None:
    """What stands for a tracepoint, a hook or an iterator is no function to attach to."""
    assert [one.section for one in all_contexts(btf)] == [
        "tp_btf/nameless", "tp_btf/sched", "lsm/task_alloc", "lsm/task_free", "iter/task",
        "fentry/bpf_iter_get_info", "fentry/bpf_iter_task_new", "fentry/kfunc",
        "fentry/kfunc_impl", "fentry/other", "fentry/other_impl", "fentry/takes_pair",
        "fexit/bpf_iter_get_info", "fexit/bpf_iter_task_new", "fexit/kfunc",
        "fexit/kfunc_impl", "fexit/other", "fexit/other_impl", "fexit/takes_pair",
    ]  # fmt: skip


def test_some_of_all(btf: Btf) -> None:
    found = [one.section for one in all_contexts(btf, {"iter", "raw_tp"})]
    assert found == ["raw_tp/nameless", "raw_tp/sched", "iter/task"]


def test_words() -> None:
    assert context_kind("kprobe") is None
    assert context_kind("lsm.s") is context_kind("lsm")


def test_as_c(btf: Btf) -> None:
    """Narrow members fill a slot; the structs are outside of what CO-RE adjusts."""
    contexts = [found for found in [find_context(btf, "fexit", "takes_pair")] if found]
    text = "".join(c_header(btf, Wanted([], [], [], contexts)))
    assert text.endswith(
        POP + "\nstruct fexit_takes_pair_ctx {\n"
        "\tstruct pair both __attribute__((packed, aligned(8)));\n"
        "\tint arg1 __attribute__((aligned(8)));\n"
        "\tint ret __attribute__((aligned(8)));\n};\n" + FOOT
    )
    assert "struct pair {" in text.split(POP)[0]


def test_functions_that_are_no_hooks() -> None:
    """Those that help with the hooks are called alike; the kernel lists which are hooks."""
    hooks = t.Struct(41, "security_list_options", 8, (t.Member("task_alloc", VOID_P, 0),), True)
    btf = Btf.parse(build((*TYPES, hooks)))
    assert find_context(btf, "lsm", "task_free") is None
    assert [one.section for one in all_contexts(btf, ("lsm",))] == ["lsm/task_alloc"]
    unlisted = Btf.parse(build(TYPES))
    assert [one.section for one in all_contexts(unlisted, ("lsm",))] == [
        "lsm/task_alloc",
        "lsm/task_free",
    ]


def test_programs_that_run_twice_see_what_is_returned() -> None:
    found = find_context(Btf.parse(build(TYPES)), "fsession", "kfunc")
    assert found == Context(
        "fsession/kfunc",
        "fsession_kfunc_ctx",
        (C("task", TASK_P), C("aux", VOID_P), C("ret", INT)),
    )
