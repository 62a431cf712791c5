from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from typing import Any

import pytest

from bpfctl.errors import SyscallError, UsageError, VerifierError
from bpfctl.kernel.bpf import replaced
from bpfctl.kernel.libc import ffi
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.verifier import (
    LOG_SIZE_MAX,
    LOG_SIZE_START,
    LOG_SIZE_UNASKED,
    Log,
    ProgLoad,
    load_program,
)

REQUEST = ProgLoad("prog", 6, bytes(16), "GPL")


@dataclass
class Verifier:
    """Stands in for the kernel: refuses with `answer` and writes `log` as far as it fits.

    It wrote `dropped` bytes more, and took them back.
    """

    answer: int
    log: bytes = b""
    says_size: bool = True
    rotates: bool = True
    dropped: int = 0
    calls: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, cmd: int, union: Any, size: int) -> int:
        level, room = int(union.log_level), int(union.log_size)
        self.calls.append((level, room))
        longest = len(self.log) + self.dropped + 1
        full = bool(level) and longest > room
        if level:
            kept = self.log
            if full:
                kept = kept[-(room - 1) :] if self.rotates else kept[: room - 1]
            place = ffi.cast("char *", int(union.log_buf))
            ffi.memmove(place, kept + b"\0", len(kept) + 1)
            union.log_true_size = longest if self.says_size else 0
        if full:
            return -errno.ENOSPC
        return self.answer or os.open(os.devnull, os.O_RDONLY)


def rejection(kernel: Verifier, options: LoadOptions) -> VerifierError:
    with replaced(kernel), pytest.raises(VerifierError) as raised:
        load_program(REQUEST, options)
    return raised.value


@pytest.mark.parametrize(
    ("second", "evidence"),
    [
        pytest.param(
            errno.ENOMEM,
            ["asked once more, for the verifier's words, the kernel says ENOMEM"],
            id="other",
        ),
        pytest.param(errno.EINVAL, [], id="same"),
    ],
)
def test_a_verifier_that_says_nothing(second: int, evidence: list[str]) -> None:
    answers = iter([-errno.EINVAL, -second])
    with replaced(lambda *_: next(answers)), pytest.raises(SyscallError) as raised:
        load_program(REQUEST, LoadOptions())
    assert (raised.value.errno, raised.value.evidence) == (errno.EINVAL, evidence)


def test_success_asks_for_no_log() -> None:
    kernel = Verifier(0, b"never seen")
    with replaced(kernel):
        fd, log = load_program(REQUEST, LoadOptions())
    fd.close()
    assert (kernel.calls, log) == ([(0, 0)], Log("", 0))


def test_a_short_log_takes_one_more_load() -> None:
    kernel = Verifier(-errno.EACCES, b"R0 !read_ok\n")
    error = rejection(kernel, LoadOptions())
    assert kernel.calls == [(0, 0), (1, LOG_SIZE_START)]
    assert (error.log, error.errno, error.missing_bytes) == ("R0 !read_ok\n", errno.EACCES, 0)


def test_what_the_verifier_took_back_is_not_missing() -> None:
    error = rejection(Verifier(-errno.EINVAL, b"Unreleased\n", dropped=60), LoadOptions())
    assert (error.log, error.missing_bytes) == ("Unreleased\n", 0)


def test_the_size_the_kernel_names_is_exact() -> None:
    text = b"x" * 1_500_000 + b"\n"
    kernel = Verifier(-errno.EINVAL, text)
    error = rejection(kernel, LoadOptions())
    assert kernel.calls == [(0, 0), (1, LOG_SIZE_START), (1, len(text) + 1)]
    assert (error.log.encode() == text, error.missing_bytes) == (True, 0)


def test_without_a_size_the_buffer_grows() -> None:
    kernel = Verifier(-errno.EINVAL, b"x" * 5_000_000, says_size=False, rotates=False)
    error = rejection(kernel, LoadOptions())
    sizes = [size for _, size in kernel.calls]
    assert sizes == [0, *(LOG_SIZE_START * 8**i for i in range(4))]
    assert (len(error.log), error.missing_bytes) == (5_000_000, 0)


@pytest.mark.parametrize(
    ("kernel", "options", "log", "missing", "beginning"),
    [
        pytest.param(
            Verifier(-errno.EACCES, b"a" * 300 + b"\n0: (95) exit\nend"),
            LoadOptions(log_size=200),
            "a" * 182 + "\n0: (95) exit\nend",
            118,
            False,
            id="end kept",
        ),
        pytest.param(
            Verifier(-errno.EACCES, b"begin" + b"a" * 300, rotates=False),
            LoadOptions(log_size=200, log_fixed=True),
            "begin" + "a" * 194,
            106,
            True,
            id="beginning kept on request",
        ),
        pytest.param(
            Verifier(-errno.EACCES, b"begin" + b"a" * 300, says_size=False, rotates=False),
            LoadOptions(log_size=200),
            "begin" + "a" * 194,
            None,
            True,
            id="old kernel",
        ),
    ],
)
def test_a_truncated_log_says_so(
    kernel: Verifier, options: LoadOptions, log: str, missing: int | None, beginning: bool
) -> None:
    error = rejection(kernel, options)
    found = (error.log, error.missing_bytes, error.kept_beginning)
    assert found == (log, missing, beginning)
    assert error.errno == errno.EACCES, "what the verifier said, not that its log did not fit"
    reasons = [16 * 1024] if beginning else []  # the end is lost, and with it what is objected to
    assert [size for _, size in kernel.calls] == [0, 200, *reasons]
    assert bool(error.reason) is beginning


def test_a_kernel_without_fixed_logs_keeps_the_beginning_anyway() -> None:
    class Old(Verifier):
        def __call__(self, cmd: int, union: Any, size: int) -> int:
            if union.log_level & ~7:  # BPF_LOG_MASK before Linux 6.4
                self.calls.append((int(union.log_level), int(union.log_size)))
                return -errno.EINVAL
            return super().__call__(cmd, union, size)

    kernel = Old(-errno.EACCES, b"R0 !read_ok\n" * 100, says_size=False, rotates=False)
    error = rejection(kernel, LoadOptions(log_fixed=True, log_size=200))
    assert [level for level, _ in kernel.calls] == [0, 9, 1, 4]
    assert (error.log[:11], error.kept_beginning, error.missing_bytes) == (
        "R0 !read_ok",
        True,
        None,
    )


def test_without_being_asked_no_log_takes_more_than_32_mib() -> None:
    text = b"a" * (LOG_SIZE_UNASKED + 1000) + b"\n0: (95) exit\nend"
    kernel = Verifier(-errno.EACCES, text)
    error = rejection(kernel, LoadOptions())
    assert [size for _, size in kernel.calls] == [0, LOG_SIZE_START, LOG_SIZE_UNASKED]
    assert (len(error.log), error.log[-3:]) == (LOG_SIZE_UNASKED - 1, "end")
    assert error.missing_bytes == len(text) - LOG_SIZE_UNASKED + 1


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(b" R0=1\n", id="registers"),
        pytest.param(b"on every path\n", id="report"),
    ],
)
def test_the_reason_is_asked_for_where_it_was_in_the_lost_beginning(after: bytes) -> None:
    kernel = Verifier(-errno.EACCES, b"R0 !read_ok\n" + after * 100)
    error = rejection(kernel, LoadOptions(log_size=200))
    assert [level for level, _ in kernel.calls] == [0, 1, 4]
    assert error.reason.startswith("R0 !read_ok\n")
    assert not error.kept_beginning


def test_who_wants_more_gets_it() -> None:
    kernel = Verifier(-errno.EACCES, b"a" * (LOG_SIZE_UNASKED + 1000))
    error = rejection(kernel, LoadOptions(log_size=LOG_SIZE_UNASKED * 2))
    assert error.missing_bytes == 0


def test_statistics_do_not_take_the_place_of_the_walk() -> None:
    kernel = Verifier(-errno.EACCES, b"R0 !read_ok\n")
    rejection(kernel, LoadOptions(log_level=4))
    assert [level for level, _ in kernel.calls] == [4, 5]


@pytest.mark.parametrize(
    ("log", "levels", "states"),
    [
        pytest.param(b"0: (95) exit\nR0 !read_ok\n", [0, 1, 2], True, id="none in it"),
        pytest.param(b"0: (b7) r0 = 0   ; R0=0\n1: (95) exit\nno\n", [0, 1], False, id="in it"),
        pytest.param(b"unreachable insn 3\n", [0, 1], False, id="no instruction"),
    ],
)
def test_registers_are_asked_for_where_the_log_has_none(
    log: bytes, levels: list[int], states: bool
) -> None:
    kernel = Verifier(-errno.EACCES, log)
    error = rejection(kernel, LoadOptions())
    assert [level for level, _ in kernel.calls] == levels
    assert error.states == (log.decode() if states else "")


def test_levels_reach_the_kernel() -> None:
    kernel = Verifier(-errno.EACCES, b"no\n")
    rejection(kernel, LoadOptions(log_level=2, log_fixed=True))
    assert kernel.calls == [(10, LOG_SIZE_START)]


def test_a_wanted_log_comes_with_success() -> None:
    kernel = Verifier(0, b"processed 2 insns\n")
    with replaced(kernel):
        fd, log = load_program(REQUEST, LoadOptions(log_level=4))
    fd.close()
    assert (kernel.calls, log) == ([(4, LOG_SIZE_START)], Log("processed 2 insns\n", 0))


def test_a_log_that_does_not_fit_does_not_refuse_a_good_program() -> None:
    kernel = Verifier(0, b"y" * 500)
    with replaced(kernel):
        fd, log = load_program(REQUEST, LoadOptions(log_level=1, log_size=128))
    fd.close()
    assert (kernel.calls, log) == ([(1, 128), (0, 0)], Log("y" * 127, 373))


def test_without_words_of_the_verifier_it_is_a_failed_call() -> None:
    with replaced(Verifier(-errno.EPERM)), pytest.raises(SyscallError) as raised:
        load_program(REQUEST, LoadOptions())
    assert (type(raised.value), raised.value.errno) == (SyscallError, errno.EPERM)
    assert raised.value.message == "load program prog: operation not permitted"


@pytest.mark.parametrize("size", [0, 127, LOG_SIZE_MAX + 1])
def test_sizes_no_kernel_takes(size: int) -> None:
    with pytest.raises(UsageError, match=f"log size {size}"):
        load_program(REQUEST, LoadOptions(log_size=size))
