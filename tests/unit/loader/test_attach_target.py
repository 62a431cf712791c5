from __future__ import annotations

from typing import cast

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.sections import parse_section_name
from bpfctl.errors import NotFoundError, NotYetError
from bpfctl.loader.attach_target import attach_btf_id
from bpfctl.loader.kernel_btf import KernelBtf


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


KERNEL = cast("KernelBtf", Kernel())


@pytest.mark.parametrize(
    ("section", "btf_id"),
    [
        ("fentry/do_unlinkat", 2),
        ("fexit.s/do_unlinkat", 2),
        ("fmod_ret/do_unlinkat", 2),
        ("iter/task", 3),
        ("lsm/file_open", 4),
        ("lsm_cgroup/file_open", 4),
        ("tp_btf/sched_switch", 6),
    ],
)
def test_targets(section: str, btf_id: int) -> None:
    assert attach_btf_id(parse_section_name(section), KERNEL) == btf_id


@pytest.mark.parametrize("section", ["xdp", "kprobe/do_unlinkat", "raw_tp/sched_switch", "user"])
def test_programs_without_a_target_never_read_the_kernels_types(section: str) -> None:
    untouched = KernelBtf("/nonexistent")
    assert attach_btf_id(parse_section_name(section), untouched) == 0


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
        attach_btf_id(parse_section_name(section), KERNEL)
    assert (raised.value.code, raised.value.remedy) == ("attach-target-missing", near)


@pytest.mark.parametrize("section", ["freplace/main", "fentry", "fentry/kvm:kvm_exit"])
def test_what_comes_later(section: str) -> None:
    with pytest.raises(NotYetError):
        attach_btf_id(parse_section_name(section), KERNEL)
