from __future__ import annotations

import errno
from contextlib import ExitStack
from typing import Any, cast

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import ProgramSpec
from bpfctl.errors import BpfctlError, NotFoundError, UsageError
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.uapi import Cmd
from bpfctl.loader.attach_target import Target, TargetWish
from bpfctl.loader.kernel_btf import KernelBtf, ModuleBtf
from bpfctl.loader.program_target import Targets, refuse_idle_wishes
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.select import Selector
from tests.fakes.kernel import FakeKernel, memory

SEVEN = Selector(ObjectKind.PROG, "id", "7")


def functions(*names: str, base: Btf | None = None) -> Btf:
    first = len(base) if base else 1
    builder = BtfBuilder(first_id=first, first_string=base.header.str_len if base else 0)
    builder.add(t.FuncProto(first, "", 0, ()))
    for at, name in enumerate(names, first + 1):
        builder.add(t.Func(at, name, first, t.FuncLinkage.STATIC))
    return Btf.parse(builder.build(), base=base)


class Kernel:
    def __init__(self) -> None:
        self.btf = functions("do_unlinkat")
        self.modules = (ModuleBtf("kvm", 9, functions("kvm_exit", base=self.btf)),)


KERNEL = cast("KernelBtf", Kernel())


def program(section: str, name: str = "main") -> ProgramSpec:
    return ProgramSpec(name, parse_section_name(section), f"{section}:{name}")


def with_program(btf: Btf, *, btf_id: int = 3) -> FakeKernel:
    """A kernel in which program 7 has these types."""

    def fill(union: Any, size: int) -> int:
        del size
        if union.info.info_len == ffi.sizeof("struct bpf_prog_info"):
            info = ffi.cast("struct bpf_prog_info *", union.info.info)
            info.id, info.btf_id, info.name = 7, btf_id, list(b"victim")
            return 0
        info = ffi.cast("struct bpf_btf_info *", union.info.info)
        if info.btf:
            memory(info.btf, info.btf_size)[:] = btf.data
        info.btf_size = len(btf.data)
        return 0

    kernel = FakeKernel()
    kernel.on(Cmd.PROG_GET_FD_BY_ID, kernel.new_fd).on(Cmd.BTF_GET_FD_BY_ID, kernel.new_fd)
    return kernel.on(Cmd.OBJ_GET_INFO_BY_FD, fill)


def found(section: str, wish: TargetWish | None, name: str = "") -> Target:
    """The target; descriptors, which differ from run to run, become 1."""
    with ExitStack() as stack:
        one = Targets(KERNEL, {name: wish} if wish else {}, stack).of(program(section))
        return one._replace(prog_fd=min(one.prog_fd, 1), btf_obj_fd=min(one.btf_obj_fd, 1))


def test_a_struct_ops_program_that_no_map_has() -> None:
    with pytest.raises(NotFoundError, match="nothing says which function of which struct") as err:
        found("struct_ops/foo", None)
    assert (err.value.code, err.value.program) == ("attach-target-not-chosen", "main")


@pytest.mark.parametrize(
    ("section", "wish", "target"),
    [
        pytest.param("fentry/do_unlinkat", None, Target(2), id="as the section says"),
        pytest.param("fentry", TargetWish("do_unlinkat"), Target(2), id="chosen"),
        pytest.param("fexit/gone", TargetWish("do_unlinkat"), Target(2), id="chosen instead"),
        pytest.param("freplace", TargetWish("work", SEVEN), Target(3, prog_fd=1), id="freplace"),
        pytest.param("freplace/work", TargetWish("", SEVEN), Target(3, prog_fd=1), id="by section"),
        pytest.param(
            "fentry/x", TargetWish("main", SEVEN), Target(2, prog_fd=1), id="of a program"
        ),
        pytest.param("fentry/kvm:kvm_exit", None, Target(4, 9, btf_obj_fd=1), id="of a module"),
        pytest.param("xdp", TargetWish("work", SEVEN), Target(), id="takes none"),
    ],
)
def test_targets(section: str, wish: TargetWish | None, target: Target) -> None:
    with with_program(functions("main", "work")):
        assert found(section, wish) == target


def test_a_programs_own_wish_goes_first() -> None:
    wishes = {"": TargetWish("no"), "main": TargetWish("do_unlinkat")}
    with ExitStack() as stack:
        assert Targets(KERNEL, wishes, stack).of(program("fentry")) == Target(2)


@pytest.mark.parametrize(
    ("wish", "btf_id", "message", "remedy"),
    [
        pytest.param(
            TargetWish("wrok", SEVEN),
            3,
            'program 7 victim has no function "wrok"',
            "did you mean work?",
            id="misspelt",
        ),
        pytest.param(
            TargetWish("zzz", SEVEN),
            3,
            'program 7 victim has no function "zzz"',
            "did you mean main or work?",
            id="nothing alike",
        ),
        pytest.param(
            TargetWish("work", SEVEN),
            0,
            "program 7 victim has no type information, so that nothing can attach to its functions",
            None,
            id="no types",
        ),
        pytest.param(
            TargetWish("", SEVEN),
            3,
            'nothing says what to replace (SEC "freplace")',
            "name it with --target PROG:FUNCTION, the function of a loaded program",
            id="no function",
        ),
    ],
)
def test_functions_a_program_lacks(
    wish: TargetWish, btf_id: int, message: str, remedy: str | None
) -> None:
    with (
        with_program(functions("main", "work"), btf_id=btf_id),
        pytest.raises(NotFoundError) as got,
    ):
        found("freplace", wish)
    assert (got.value.message, got.value.remedy) == (message, remedy)


def test_a_program_that_is_gone() -> None:
    kernel = FakeKernel().on(Cmd.PROG_GET_FD_BY_ID, -errno.ENOENT)
    with kernel, pytest.raises(NotFoundError, match="no program has id 7"):
        found("freplace", TargetWish("work", SEVEN))


@pytest.mark.parametrize(
    ("wishes", "kind", "message"),
    [
        pytest.param(
            {"other": TargetWish("f")},
            NotFoundError,
            "no program other to choose a target for is loaded",
            id="no such program",
        ),
        pytest.param(
            {"packets": TargetWish("f")},
            UsageError,
            "program packets takes no target when it loads",
            id="takes none",
        ),
    ],
)
def test_wishes_without_effect(
    wishes: dict[str, TargetWish], kind: type[BpfctlError], message: str
) -> None:
    programs = [program("fentry", "calls"), program("xdp", "packets")]
    with pytest.raises(kind) as raised:
        refuse_idle_wishes(wishes, programs)
    assert raised.value.message == message
    refuse_idle_wishes({"": TargetWish("f"), "calls": TargetWish("g")}, programs)
    with pytest.raises(UsageError, match="no program of the object takes a target"):
        refuse_idle_wishes({"": TargetWish("f")}, programs[1:])
