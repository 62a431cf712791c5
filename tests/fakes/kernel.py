"""A kernel that answers bpf(2) as a test says, so that every errno can be met."""

from __future__ import annotations

import os
from collections import defaultdict, deque
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from bpfctl.kernel.bpf import command_name, replaced
from bpfctl.kernel.libc import ffi

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from bpfctl.kernel.uapi import Cmd

    Answer = int | Callable[[Any, int], int]


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was made: the command and the bytes of its attr that the kernel may see."""

    cmd: int
    data: bytes

    @property
    def attr(self) -> Any:
        """The request again, as `union bpf_attr`; pointers in it may be stale."""
        union = ffi.new("union bpf_attr *")
        ffi.memmove(union, self.data, len(self.data))
        return union


class FakeKernel:
    """Takes the kernel's place within a `with`. Unexpected calls fail the test.

    Answers are given in order, the last one again and again: a result, a negative errno, or a
    function of the `union bpf_attr` and its size that may write results into it.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._answers: dict[int, deque[Answer]] = defaultdict(deque)
        self._stack = ExitStack()

    def on(self, cmd: Cmd, *answers: Answer) -> Self:
        """Say how a command is answered."""
        self._answers[cmd].extend(answers)
        return self

    def fd(self) -> int:
        """Return a real descriptor, as a call would that makes an object; its caller closes it."""
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def new_fd(self, union: Any, size: int) -> int:
        """Answer a call by a descriptor."""
        del union, size
        return self.fd()

    def sizes(self) -> list[int]:
        """Return the attr sizes of all calls."""
        return [len(call.data) for call in self.calls]

    def _enter_kernel(self, cmd: int, union: Any, size: int) -> int:
        self.calls.append(Call(cmd, bytes(ffi.buffer(union))[:size]))
        answers = self._answers[cmd]
        if not answers:
            raise AssertionError(f"no answer to {command_name(cmd)} was prepared")
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        return answer if isinstance(answer, int) else answer(union, size)

    def __enter__(self) -> Self:
        self._stack.enter_context(replaced(self._enter_kernel))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()


def memory(address: int, size: int) -> Any:
    """Return what an address in a request refers to, to be read and written."""
    return ffi.buffer(ffi.cast("uint8_t *", address), size)
