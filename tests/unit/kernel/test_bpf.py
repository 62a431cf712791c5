from __future__ import annotations

import errno
import os
import sys
from typing import Any

import pytest

from bpfctl.errors import ENOTSUPP, KeyNotFoundError, SyscallError
from bpfctl.kernel import libc
from bpfctl.kernel.attr import map_create, map_elem, map_freeze, map_get_next_key, prog_load
from bpfctl.kernel.bpf import bpf, bpf_fd, command_name, replaced, set_tracer, try_bpf
from bpfctl.kernel.uapi import Cmd, MapType
from tests.fakes.kernel import FakeKernel

SIZES: dict[str, Any] = {"key_size": 4, "value_size": 8, "max_entries": 1}
EXIT = bytes.fromhex("b7000000000000009500000000000000")


@pytest.mark.parametrize(
    ("number", "name", "words"),
    [
        pytest.param(errno.EPERM, "EPERM", "create map m: operation not permitted", id="eperm"),
        pytest.param(errno.E2BIG, "E2BIG", "create map m: argument list too long", id="e2big"),
        pytest.param(ENOTSUPP, "ENOTSUPP", "create map m: operation not supported", id="enotsupp"),
        pytest.param(4095, "4095", "create map m: unknown error 4095", id="no-name"),
    ],
)
def test_errno_becomes_an_error(number: int, name: str, words: str) -> None:
    attr = map_create(map_type=MapType.HASH, name="m", **SIZES)
    with FakeKernel().on(Cmd.MAP_CREATE, -number), pytest.raises(SyscallError) as caught:
        bpf(attr)
    error = caught.value
    assert (error.errno, error.errno_name, error.call) == (number, name, "BPF_MAP_CREATE")
    assert (str(error), type(error)) == (words, SyscallError)


@pytest.mark.parametrize(
    "cmd", [Cmd.MAP_LOOKUP_ELEM, Cmd.MAP_DELETE_ELEM, Cmd.MAP_LOOKUP_AND_DELETE_ELEM]
)
def test_no_such_key_is_an_error_of_its_own(cmd: Cmd) -> None:
    with FakeKernel().on(cmd, -errno.ENOENT), pytest.raises(KeyNotFoundError) as caught:
        bpf(map_elem(cmd, 5, b"key", b"value", doing="look up a key"))
    assert caught.value.code == "key-not-found"


def test_the_end_of_the_keys_is_no_missing_key() -> None:
    with FakeKernel().on(Cmd.MAP_GET_NEXT_KEY, -errno.ENOENT), pytest.raises(SyscallError) as err:
        bpf(map_get_next_key(5, None, bytearray(4)))
    assert not isinstance(err.value, KeyNotFoundError)


def test_an_interrupted_load_is_tried_again() -> None:
    kernel = FakeKernel()
    kernel.on(Cmd.PROG_LOAD, -errno.EAGAIN, -errno.EAGAIN, kernel.new_fd)
    with kernel, bpf_fd(prog_load(prog_type=1, insns=EXIT, license="GPL")):
        assert len(kernel.calls) == 3


def test_a_load_is_not_tried_for_ever() -> None:
    kernel = FakeKernel().on(Cmd.PROG_LOAD, -errno.EAGAIN)
    with kernel:
        assert try_bpf(prog_load(prog_type=1, insns=EXIT, license="GPL")) == -errno.EAGAIN
    assert len(kernel.calls) == 5


def test_other_commands_are_not_tried_again() -> None:
    kernel = FakeKernel().on(Cmd.MAP_FREEZE, -errno.EAGAIN)
    with kernel:
        assert try_bpf(map_freeze(5)) == -errno.EAGAIN
    assert len(kernel.calls) == 1


def test_a_descriptor_comes_owned() -> None:
    kernel = FakeKernel()
    kernel.on(Cmd.MAP_CREATE, kernel.new_fd)
    with kernel, bpf_fd(map_create(map_type=MapType.HASH, **SIZES)) as fd:
        number = fd.fileno()
        assert os.fstat(number)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_the_tracer_sees_every_call() -> None:
    seen: list[tuple[str, str, int, int]] = []

    def tracer(name: str, doing: str, size: int, result: int, elapsed_ns: int) -> None:
        assert elapsed_ns > 0
        seen.append((name, doing, size, result))

    set_tracer(tracer)
    try:
        with FakeKernel().on(Cmd.MAP_FREEZE, 0, -errno.EBUSY):
            try_bpf(map_freeze(5))
            try_bpf(map_freeze(6))
    finally:
        set_tracer(None)
    assert seen == [
        ("BPF_MAP_FREEZE", "freeze a map", 4, 0),
        ("BPF_MAP_FREEZE", "freeze a map", 4, -errno.EBUSY),
    ]


def test_the_kernel_comes_back_after_an_error() -> None:
    inner: list[int] = []

    def count(cmd: int, union: Any, size: int) -> int:
        inner.append(cmd)
        return 0

    with replaced(count):
        with pytest.raises(KeyError), replaced(lambda *_: -errno.EIO):
            raise KeyError
        bpf(map_freeze(5))
    assert inner == [Cmd.MAP_FREEZE]


@pytest.mark.parametrize(
    ("cmd", "name"),
    [
        pytest.param(Cmd.PROG_TEST_RUN, "BPF_PROG_TEST_RUN", id="alias"),
        pytest.param(4242, "bpf command 4242", id="newer"),
    ],
)
def test_commands_have_names(cmd: int, name: str) -> None:
    assert command_name(cmd) == name


def test_a_machine_without_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Machine:
        machine = "riscv64"

    libc.syscall_number.cache_clear()
    monkeypatch.setattr(os, "uname", Machine)
    with pytest.raises(SyscallError) as caught:
        bpf(map_freeze(5))
    monkeypatch.undo()
    assert (caught.value.code, caught.value.errno) == ("unsupported-machine", errno.ENOSYS)
    assert str(caught.value) == "bpf on riscv64: function not implemented"


def test_a_32_bit_process(monkeypatch: pytest.MonkeyPatch) -> None:
    libc.syscall_number.cache_clear()
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    with pytest.raises(SyscallError, match="bpf in a 32-bit process"):
        bpf(map_freeze(5))


def test_the_real_kernel_answers() -> None:
    # Descriptor 10**9 is open nowhere: EBADF for root, EPERM for others, ENOSYS without bpf(2).
    assert try_bpf(map_freeze(10**9)) in {-errno.EBADF, -errno.EPERM}
