from __future__ import annotations

from typing import cast

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.sections import parse_section_name
from bpfctl.errors import NotFoundError
from bpfctl.loader.attach_target import Target, find_target
from bpfctl.loader.kernel_btf import KernelBtf, ModuleBtf


class Kernel:
    """The types of a small kernel: each target's stand-in, and things of the same name."""

    def __init__(self) -> None:
        builder = BtfBuilder()
        builder.add(t.FuncProto(1, "", 0, ()))
        builder.add(t.Func(2, "do_unlinkat", 1, t.FuncLinkage.STATIC))
        builder.add(t.Func(3, "bpf_iter_task", 1, t.FuncLinkage.STATIC))
        builder.add(t.Func(4, "bpf_lsm_file_open", 1, t.FuncLinkage.STATIC))
        builder.add(t.Func(5, "btf_trace_sched_switch", 1, t.FuncLinkage.STATIC))
        builder.add(t.Typedef(6, "btf_trace_sched_switch", 1))
        self.btf = Btf.parse(builder.build())
        self.modules = (ModuleBtf("kvm", 9, module(self.btf)),)


def module(base: Btf) -> Btf:
    """The types of a module that has a function of its own, and one as the kernel has."""
    builder = BtfBuilder(first_id=len(base), first_string=base.header.str_len)
    builder.add(t.Func(7, "kvm_exit", 1, t.FuncLinkage.STATIC))
    builder.add(t.Func(8, "do_unlinkat", 1, t.FuncLinkage.STATIC))
    return Btf.parse(builder.build(), base=base)


KERNEL = cast("KernelBtf", Kernel())


@pytest.mark.parametrize(
    ("section", "target"),
    [
        ("fentry/do_unlinkat", Target(2)),
        ("fexit.s/do_unlinkat", Target(2)),
        ("fmod_ret/do_unlinkat", Target(2)),
        ("iter/task", Target(3)),
        ("lsm/file_open", Target(4)),
        ("lsm_cgroup/file_open", Target(4)),
        ("tp_btf/sched_switch", Target(6)),
        pytest.param("fentry/kvm:kvm_exit", Target(7, 9), id="a named module"),
        pytest.param("fentry/kvm_exit", Target(7, 9), id="found in a module"),
        pytest.param("fentry/kvm:do_unlinkat", Target(8, 9), id="the module's, not the kernel's"),
        pytest.param("fentry/vmlinux:do_unlinkat", Target(2), id="the kernel's by name"),
    ],
)
def test_targets(section: str, target: Target) -> None:
    assert find_target(parse_section_name(section), KERNEL) == target


@pytest.mark.parametrize("section", ["xdp", "kprobe/do_unlinkat", "raw_tp/sched_switch", "user"])
def test_programs_without_a_target_never_read_the_kernels_types(section: str) -> None:
    untouched = KernelBtf("/nonexistent")
    assert find_target(parse_section_name(section), untouched) == Target()


@pytest.mark.parametrize(
    ("section", "message", "near"),
    [
        ("iter/tusk", 'no iterator "tusk"', "did you mean task?"),
        ("tp_btf/sched_swich", 'no tracepoint "sched_swich"', "did you mean sched_switch?"),
        ("fentry/do_unlink", 'no function "do_unlink"', "did you mean do_unlinkat?"),
        ("lsm/zzz", 'no LSM hook "zzz"', None),
    ],
)
def test_a_missing_target_is_named(section: str, message: str, near: str | None) -> None:
    with pytest.raises(NotFoundError, match=message) as raised:
        find_target(parse_section_name(section), KERNEL)
    assert (raised.value.code, raised.value.remedy) == ("attach-target-missing", near)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        pytest.param("fentry/kvm:no", 'module kvm has no function "no"', id="not in it"),
        pytest.param(
            "fentry/vmlinux:kvm_exit", 'module vmlinux has no function "kvm_exit"', id="kernel"
        ),
    ],
)
def test_a_target_missing_in_a_module(section: str, message: str) -> None:
    with pytest.raises(NotFoundError) as raised:
        find_target(parse_section_name(section), KERNEL)
    assert (raised.value.code, raised.value.message) == ("attach-target-missing", message)
    assert raised.value.remedy is None


def test_a_module_that_is_not_loaded() -> None:
    with pytest.raises(NotFoundError) as raised:
        find_target(parse_section_name("fentry/no_such_kvm:kvm_exit"), KERNEL)
    assert (raised.value.code, raised.value.message) == (
        "module-not-loaded",
        "no module no_such_kvm is loaded",
    )


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("fentry", 'nothing says what to attach to (SEC "fentry")'),
        ("freplace/main", 'nothing says what to replace (SEC "freplace/main")'),
    ],
)
def test_a_target_nobody_chose(section: str, message: str) -> None:
    with pytest.raises(NotFoundError) as raised:
        find_target(parse_section_name(section), KERNEL)
    assert (raised.value.code, raised.value.message) == ("attach-target-not-chosen", message)
