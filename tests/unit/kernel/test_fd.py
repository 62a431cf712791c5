from __future__ import annotations

import errno
import fcntl
import os
import warnings
from typing import TYPE_CHECKING

import pytest

from bpfctl.kernel.fd import Fd

if TYPE_CHECKING:
    from collections.abc import Iterator


def opened() -> int:
    return os.open(os.devnull, os.O_RDONLY)


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


@pytest.fixture
def zero_free() -> Iterator[None]:
    """Close standard input for a while, so that the next descriptor is 0."""
    kept = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 100)
    os.close(0)
    yield
    os.dup2(kept, 0)
    os.close(kept)


def test_close_twice_closes_once() -> None:
    number = opened()
    fd = Fd(number)
    fd.close()
    other = opened()  # gets the same number, which is no longer ours
    assert other == number
    fd.close()
    assert (is_open(other), fd.closed, repr(fd)) == (True, True, "Fd(closed)")
    os.close(other)


def test_with_closes_also_on_errors() -> None:
    number = opened()

    def fail(fd: Fd) -> None:
        assert (fd.fileno(), fd.closed, repr(fd)) == (number, False, f"Fd({number})")
        raise KeyError

    with pytest.raises(KeyError), Fd(number) as fd:
        fail(fd)
    assert not is_open(number)


@pytest.mark.usefixtures("zero_free")
def test_zero_is_moved_up() -> None:
    number = opened()
    assert number == 0
    with Fd(number) as fd:
        assert fd.fileno() > 0
        assert not is_open(0)
        assert fcntl.fcntl(fd.fileno(), fcntl.F_GETFD) == fcntl.FD_CLOEXEC


@pytest.mark.usefixtures("zero_free")
def test_zero_is_closed_when_there_is_no_room_above(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> int:
        raise OSError(errno.EMFILE, "no room")

    number = opened()
    monkeypatch.setattr(fcntl, "fcntl", full)
    with pytest.raises(OSError, match="no room"):
        Fd(number)
    assert not is_open(0)


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="-1 is no file descriptor"):
        Fd(-1)


def test_detach_gives_the_number_away() -> None:
    number = opened()
    fd = Fd(number)
    assert (fd.detach(), fd.closed, is_open(number)) == (number, True, True)
    with pytest.raises(ValueError, match="closed"):
        fd.fileno()
    with pytest.raises(ValueError, match="closed"):
        fd.detach()
    os.close(number)


def test_duplicate_lives_on_its_own() -> None:
    with Fd(opened()) as fd:
        other = fd.duplicate()
    with other:
        assert is_open(other.fileno())
        assert fcntl.fcntl(other.fileno(), fcntl.F_GETFD) == fcntl.FD_CLOEXEC


def test_a_forgotten_one_is_closed_and_reported() -> None:
    number = opened()
    fd = Fd(number)
    with pytest.warns(ResourceWarning, match=rf"unclosed Fd\({number}\)"):
        del fd
    assert not is_open(number)


def test_a_forgotten_one_is_closed_also_when_warnings_are_errors() -> None:
    number = opened()
    fd = Fd(number)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ResourceWarning):
            fd.__del__()
    assert not is_open(number)
