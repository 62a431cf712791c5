from __future__ import annotations

import errno
import re
from contextlib import ExitStack
from typing import Any

import pytest

from bpfctl.asm.insn import BPF_CALL_IMM, Insn, decode, encode
from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.ext import FuncInfo
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import ObjectSpec, ProgramSpec
from bpfctl.errors import SyscallError
from bpfctl.kernel.uapi import Cmd, ProgType
from bpfctl.kernel.uapi_helpers import HelperId
from bpfctl.loader.attach_target import Target
from bpfctl.loader.fallbacks import _OLDER_HELPERS, Fallbacks
from bpfctl.loader.link_code import LinkedCode, Placed
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.prepare import Prepared
from bpfctl.loader.verifier import ProgLoad
from tests.fakes.kernel import FakeKernel, memory
from tests.unit.loader.objects import CALL, EXIT, call, function, object_of

READ_KERNEL, READ_USER_STR, OTHER = 113, 114, 14


def helper(number: int) -> Insn:
    return Insn(BPF_CALL_IMM, imm=number)


def tagged() -> Btf:
    """A global function whose second argument is tagged as the context."""
    builder = BtfBuilder()
    builder.add(t.Int(1, "int", 4, 1, 0, 32))
    builder.add(t.Ptr(2, "", 0))
    builder.add(t.FuncProto(3, "", 1, (t.Param("more", 1), t.Param("ctx", 2))))
    builder.add(t.Func(4, "main", 3, t.FuncLinkage.GLOBAL))
    builder.add(t.Func(5, "work", 3, t.FuncLinkage.GLOBAL))
    builder.add(t.DeclTag(6, "arg:ctx", 5, 1))
    builder.add(t.DeclTag(7, "arg:nonnull", 4, 1))
    builder.add(t.DeclTag(8, "arg:ctx", 5, 7))
    return Btf.parse(builder.build())


def an_object(btf: Btf | None = None, **more: object) -> ObjectSpec:
    work = function(".text:work", EXIT, func_info=(FuncInfo(0, 5),), **more)
    main = function("tc:main", CALL + EXIT, call(0, ".text:work"), func_info=(FuncInfo(0, 4),))
    program = ProgramSpec("main", parse_section_name("tc"), main.key)
    return object_of(main, work, programs=(program,), btf=btf)


def prepared(spec: ObjectSpec) -> Prepared:
    placed: list[Placed] = []
    for one in spec.functions.values():
        placed.append(Placed(one, sum(len(other.function.code) // 8 for other in placed)))
    code = bytearray(b"".join(one.function.code for one in placed))
    linked = LinkedCode(code, tuple(placed), ())
    return Prepared(spec.programs[0], linked, {}, Target(), {})


class Kernel(FakeKernel):
    """Takes only programs that `accepts`; says `words` in the log of the others."""

    def __init__(self, number: int, words: str, accepts: Any) -> None:
        super().__init__()
        self.types: list[bytes] = []
        self.on(Cmd.PROG_LOAD, lambda union, size: self.program(number, words, accepts, union))
        self.on(Cmd.BTF_LOAD, self.btf)

    def program(self, number: int, words: str, accepts: Any, union: Any) -> int:
        if accepts(union):
            return self.fd()
        if union.log_level and words:
            text = words.encode() + b"\0"
            memory(union.log_buf, union.log_size)[: len(text)] = text
        return -number

    def btf(self, union: Any, size: int) -> int:
        del size
        self.types.append(bytes(memory(union.btf, union.btf_size)))
        return self.fd()


def load(kernel: Kernel, spec: ObjectSpec, request: ProgLoad) -> None:
    with kernel, ExitStack() as stack:
        fd, _ = Fallbacks(spec, LoadOptions(), stack).load(prepared(spec), request)
        fd.close()


def insns(union: Any) -> list[int]:
    code = decode(bytes(memory(union.insns, union.insn_cnt * 8)))
    return [insn.imm for insn in code if insn.is_helper_call]


def test_helpers_of_older_kernels() -> None:
    code = encode([helper(READ_KERNEL), helper(OTHER), helper(READ_USER_STR), Insn(0x95)])
    kernel = Kernel(
        errno.EINVAL, "unknown func bpf_probe_read_kernel#113", lambda u: insns(u) == [4, OTHER, 45]
    )
    load(kernel, an_object(), ProgLoad("main", int(ProgType.KPROBE), code, "GPL"))


def test_kernels_that_know_no_names() -> None:
    request = ProgLoad(
        "main", 3, EXIT, "GPL", prog_btf_fd=9, func_info=bytes(8), line_info=bytes(16)
    )
    kernel = Kernel(
        errno.E2BIG,
        "",
        lambda u: not (u.prog_name[0] or u.prog_btf_fd or u.func_info_cnt or u.line_info_cnt),
    )
    load(kernel, an_object(), request)


def test_contexts_of_older_kernels_have_names() -> None:
    spec = an_object(tagged())
    kernel = Kernel(errno.EINVAL, "Arg#1 type PTR is not supported", lambda u: u.prog_btf_fd != 9)
    load(
        kernel,
        spec,
        ProgLoad("main", int(ProgType.SCHED_CLS), EXIT, "GPL", prog_btf_fd=9, func_info=bytes(16)),
    )
    (data,) = kernel.types
    btf = Btf.parse(data)
    changed = next(one for one in btf.types() if isinstance(one, t.Func) and one.id > 8)
    context = btf.func_proto(changed.id).params[1]
    assert (changed.name, changed.linkage) == ("work", t.FuncLinkage.GLOBAL)
    assert btf.func_proto(changed.id).params[0] == t.Param("more", 1)
    assert (context.name, btf.type_name(context.type_id)) == ("ctx", "struct __sk_buff *")
    assert [one for one in btf.types() if one.id <= 8] == list(tagged().types())


@pytest.mark.parametrize(
    ("number", "words", "request_", "spec"),
    [
        pytest.param(
            errno.EACCES,
            "R0 !read_ok",
            ProgLoad("main", 3, EXIT, "GPL"),
            an_object(),
            id="plain no",
        ),
        pytest.param(
            errno.EINVAL,
            "unknown func bpf_get_current_pid_tgid#14",
            ProgLoad("main", 3, encode([helper(OTHER), helper(READ_KERNEL)]), "GPL"),
            an_object(),
            id="another helper",
        ),
        pytest.param(
            errno.EINVAL,
            "Arg#1 type PTR is not supported",
            ProgLoad("main", int(ProgType.SYSCALL), EXIT, "GPL", func_info=bytes(16)),
            an_object(tagged()),
            id="a type without a named context",
        ),
        pytest.param(
            errno.EINVAL,
            "Arg#1 type PTR is not supported",
            ProgLoad("main", int(ProgType.SCHED_CLS), EXIT, "GPL", func_info=bytes(16)),
            an_object(tagged(), is_hidden=True),
            id="hidden functions are not verified by themselves",
        ),
        pytest.param(
            errno.EPERM,
            "",
            ProgLoad("main", int(ProgType.SCHED_CLS), EXIT, "GPL", func_info=bytes(16)),
            an_object(tagged()),
            id="no rights",
        ),
    ],
)
def test_other_refusals_are_not_tried_again(
    number: int, words: str, request_: ProgLoad, spec: ObjectSpec
) -> None:
    kernel = Kernel(number, words, lambda _: False)
    with pytest.raises(SyscallError):
        load(kernel, spec, request_)
    levels = [one.attr.log_level for one in kernel.calls if one.cmd == Cmd.PROG_LOAD]
    assert levels == [0, 1]
    assert kernel.types == []


def test_what_helps_nothing_leaves_the_first_words() -> None:
    code = encode([helper(READ_KERNEL), Insn(0x95)])
    words = "unknown func bpf_probe_read_kernel#113"
    kernel = Kernel(errno.EINVAL, words, lambda _: False)
    with pytest.raises(SyscallError) as raised:
        load(kernel, an_object(), ProgLoad("main", 2, code, "GPL"))
    assert re.search(words, getattr(raised.value, "log", ""))


def test_the_numbers_of_helpers_are_the_kernels() -> None:
    assert {HelperId(new).name: HelperId(old).name for new, old in _OLDER_HELPERS.items()} == {
        "probe_read_user": "probe_read",
        "probe_read_kernel": "probe_read",
        "probe_read_user_str": "probe_read_str",
        "probe_read_kernel_str": "probe_read_str",
    }
