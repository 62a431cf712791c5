"""Owned file descriptors."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Fd:
    """Owns one file descriptor, from now on until it is closed or detached.

    Descriptor 0 is moved up: in many fields of bpf(2) a 0 means "none". Closing twice is fine.
    """

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        """Take ownership of an open descriptor. Raises: OSError when it is not open."""
        self._number = -1
        if number < 0:
            raise ValueError(f"{number} is no file descriptor")
        self._number = _moved_up(number) if number == 0 else number

    def fileno(self) -> int:
        """Return the number. Raises: ValueError when closed."""
        if self._number < 0:
            raise ValueError("the file descriptor is closed")
        return self._number

    @property
    def closed(self) -> bool:
        """Whether it was closed or given away."""
        return self._number < 0

    def close(self) -> None:
        """Close it, unless it is closed already."""
        number, self._number = self._number, -1
        if number >= 0:
            os.close(number)

    def detach(self) -> int:
        """Give the number and the duty to close it to the caller."""
        number = self.fileno()
        self._number = -1
        return number

    def duplicate(self) -> Fd:
        """Return a second descriptor of the same object, owned apart from this one."""
        return Fd(_copy(self.fileno()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "Fd(closed)" if self.closed else f"Fd({self._number})"

    def __del__(self) -> None:
        if self._number >= 0:
            words = f"unclosed {self!r}"
            self.close()  # first: a warning may be an error
            import warnings

            warnings.warn(words, ResourceWarning, source=self, stacklevel=2)


def _moved_up(number: int) -> int:
    try:
        return _copy(number)
    finally:
        os.close(number)


def _copy(number: int) -> int:
    """Open the same under another number than 0."""
    import fcntl  # few commands need it

    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 1)
