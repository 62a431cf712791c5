from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from typing import Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.ext import FuncInfo
from bpfctl.errors import SyscallError
from bpfctl.kernel.bpf import replaced
from bpfctl.kernel.libc import ffi
from bpfctl.loader.btf import kernel_data, load_btf
from bpfctl.loader.btf_kinds import PROBES, missing_kinds
from tests.unit.loader.objects import EXIT, function


def two_functions() -> Btf:
    builder = BtfBuilder()
    builder.add(t.FuncProto(1, "", 0, ()))
    builder.add(t.Func(2, "open", 1, t.FuncLinkage.GLOBAL))
    builder.add(t.Func(3, "hidden", 1, t.FuncLinkage.GLOBAL))
    builder.add(t.Float(4, "double", 8))
    return Btf.parse(builder.build())


def linkages(data: bytes) -> dict[str, int]:
    return {one.name: one.linkage for one in Btf.parse(data).types() if isinstance(one, t.Func)}


def test_hidden_functions_become_static() -> None:
    btf = two_functions()
    functions = [
        function(".text:open", EXIT, func_info=(FuncInfo(0, 2),)),
        function(".text:hidden", EXIT, func_info=(FuncInfo(0, 3),), is_hidden=True),
    ]
    assert linkages(kernel_data(btf, functions)) == {"open": 1, "hidden": 0}
    assert linkages(btf.data) == {"open": 1, "hidden": 1}, "the object's own types stay"


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="visible"),
        pytest.param({"is_hidden": True, "is_global": False}, id="static already"),
    ],
)
def test_other_functions_stay(more: dict[str, bool]) -> None:
    btf = two_functions()
    one = function(".text:hidden", EXIT, func_info=(FuncInfo(0, 3),), **more)
    assert kernel_data(btf, [one]) is btf.data


def test_a_hidden_function_without_type_is_left_alone() -> None:
    btf = two_functions()
    assert kernel_data(btf, [function(".text:hidden", EXIT, is_hidden=True)]) is btf.data


@dataclass
class Kernel:
    """Refuses blobs with one of the kinds, and says so when asked for a log."""

    refused: frozenset[t.Kind]
    answer: int = -errno.EINVAL
    accepted: list[bytes] = field(default_factory=list)

    def __call__(self, cmd: int, union: Any, size: int) -> int:
        data = bytes(ffi.buffer(ffi.cast("char *", int(union.btf)), int(union.btf_size)))
        if {one.kind for one in Btf.parse(data).types()} & self.refused:
            if union.btf_log_level:
                ffi.memmove(ffi.cast("char *", int(union.btf_log_buf)), b"[4] Invalid kind\0", 17)
            return self.answer
        self.accepted.append(data)
        return os.open(os.devnull, os.O_RDONLY)


def test_types_a_kernel_knows_are_loaded_as_they_are() -> None:
    kernel, data = Kernel(frozenset()), two_functions().data
    with replaced(kernel):
        load_btf(data).close()
    assert kernel.accepted == [data]


def test_kinds_a_kernel_lacks_are_replaced() -> None:
    kernel, data = Kernel(frozenset({t.Kind.FLOAT})), two_functions().data
    with replaced(kernel):
        load_btf(data).close()
    loaded = Btf.parse(kernel.accepted[-1])
    assert (len(loaded), loaded.size_of(4)) == (5, 8)


def test_what_is_refused_for_another_reason_has_the_kernels_words() -> None:
    builder = BtfBuilder()
    builder.add(t.Ptr(1, "", 0))
    with replaced(Kernel(frozenset({t.Kind.PTR}))), pytest.raises(SyscallError) as raised:
        load_btf(builder.build())
    assert (raised.value.code, raised.value.evidence) == ("btf-rejected", ["[4] Invalid kind"])


@pytest.mark.parametrize("is_old", [True, False], ids=["before 6.4", "since 6.4"])
def test_the_end_of_a_long_log_is_what_counts(is_old: bool) -> None:
    """An old kernel keeps the beginning of what does not fit, a newer one the end."""
    whole = b"[1] INT int\n" * 10_000 + b"[4] Invalid kind\n\0"

    def kernel(_cmd: int, union: Any, _size: int) -> int:
        room = int(union.btf_log_size)
        if not room:
            return -errno.EINVAL
        fits = len(whole) <= room
        text = whole if fits else whole[: room - 1] + b"\0" if is_old else whole[-room:]
        ffi.memmove(ffi.cast("char *", int(union.btf_log_buf)), text, len(text))
        return -errno.EINVAL if fits else -errno.ENOSPC

    with replaced(kernel), pytest.raises(SyscallError) as raised:
        load_btf(two_functions().data)
    assert raised.value.evidence[-1] == "[4] Invalid kind"
    assert raised.value.errno == errno.EINVAL


def test_a_lack_of_rights_asks_for_nothing_more() -> None:
    kernel = Kernel(frozenset(t.Kind), -errno.EPERM)
    with replaced(kernel), pytest.raises(SyscallError) as raised:
        load_btf(two_functions().data)
    assert raised.value.errno == errno.EPERM


@pytest.mark.parametrize(
    ("refused", "missing"),
    [
        (frozenset(), frozenset()),
        ({t.Kind.ENUM64}, {"enum64"}),
        ({t.Kind.FLOAT, t.Kind.TYPE_TAG}, {"float", "type_tag"}),
        ({t.Kind.DATASEC}, {"datasec", "empty_datasec", "qmark_datasec"}),
    ],
)
def test_missing_kinds(refused: set[t.Kind], missing: set[str]) -> None:
    with replaced(Kernel(frozenset(refused))):
        assert missing_kinds() == missing


def test_a_lack_of_rights_proves_nothing() -> None:
    with replaced(Kernel(frozenset(t.Kind), -errno.EPERM)):
        assert missing_kinds() == frozenset()


def test_each_probe_has_the_kind_it_is_named_after() -> None:
    kernel = Kernel(frozenset())
    with replaced(kernel):
        missing_kinds()
    kinds = [max(one.kind for one in Btf.parse(data).types()) for data in kernel.accepted]
    wanted = [t.Kind.FUNC_PROTO if n.startswith("func") else n for n in PROBES]
    names = [
        t.Kind[n.removeprefix("qmark_").removeprefix("empty_").upper()] if isinstance(n, str) else n
        for n in wanted
    ]
    assert kinds == names
