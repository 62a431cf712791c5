from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.errors import BtfError, VerifierError
from bpfctl.explain.rejection import explain_rejection
from bpfctl.explain.verifier_context import add_field, field_words
from bpfctl.kernel.uapi import ProgType
from bpfctl.rejected import ProgramCode


@pytest.fixture
def btf() -> Btf:
    """Make types with a context of two numbers and a pointer in a union."""
    builder = BtfBuilder()
    number = builder.add(t.Int(0, "__u32", 4, 0, 0, 32))
    pointer = builder.add(t.Ptr(0, "", number))
    union = builder.add(t.Struct(0, "", 8, (t.Member("flow_keys", pointer, 0),), is_union=True))
    builder.add(
        t.Struct(
            0,
            "__sk_buff",
            16,
            (t.Member("len", number, 0), t.Member("mark", number, 32), t.Member("", union, 64)),
        )
    )
    return Btf.parse(builder.build())


@pytest.mark.parametrize(
    ("name", "offset", "words"),
    [
        ("__sk_buff", 0, "offset 0 of struct __sk_buff is len, 4 bytes"),
        ("__sk_buff", 6, "offset 4 of struct __sk_buff is mark, 4 bytes"),
        ("__sk_buff", 8, "offset 8 of struct __sk_buff is flow_keys, 8 bytes"),
        ("__sk_buff", 16, "struct __sk_buff ends before: it has 16 bytes"),
        ("xdp_md", 0, ""),
    ],
)
def test_what_is_at_an_offset(btf: Btf, name: str, offset: int, words: str) -> None:
    assert field_words(btf, name, offset) == words


def refused(prog_type: int, message: str) -> VerifierError:
    error = VerifierError(errno.EACCES, "load", f"0: (61) r0 = *(u32 *)(r1 +4)\n{message}\n")
    error.knowing(ProgramCode(bytes.fromhex("6110040000000000"), prog_type))
    return explain_rejection(error)


@pytest.mark.parametrize(
    ("prog_type", "message", "told"),
    [
        pytest.param(ProgType.SCHED_CLS, "invalid bpf_context access off=4 size=8", True, id="tc"),
        pytest.param(ProgType.XDP, "invalid bpf_context access off=4 size=8", False, id="absent"),
        pytest.param(9999, "invalid bpf_context access off=4 size=8", False, id="unknown type"),
        pytest.param(ProgType.SCHED_CLS, "R0 !read_ok", False, id="another rule"),
        pytest.param(ProgType.SCHED_CLS, "func 'f' size 4 must be 8", False, id="no offset"),
    ],
)
def test_the_field_is_told(btf: Btf, prog_type: int, message: str, told: bool) -> None:
    error = refused(prog_type, message)
    kernel: Any = SimpleNamespace(btf=btf)
    add_field(error, kernel)
    assert ("offset 4 of struct __sk_buff is mark, 4 bytes" in error.evidence) is told


def test_a_kernel_without_types_is_no_reason_to_fail() -> None:
    class Kernel:
        @property
        def btf(self) -> Btf:
            raise BtfError("no types")

    error = refused(ProgType.SCHED_CLS, "invalid bpf_context access off=4 size=8")
    before = list(error.evidence)
    kernel: Any = Kernel()
    add_field(error, kernel)
    assert error.evidence == before
