"""The list of active security modules."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bpfctl.kernel import lsm
from bpfctl.kernel.libc import ffi, syscall_number

if TYPE_CHECKING:
    import pytest


class Answering:
    """Stands in for the C library: writes these ids, or fails."""

    def __init__(self, *ids: int, fails: bool = False) -> None:
        self.ids, self.fails = ids, fails

    def syscall(self, number: object, ids: object, size: object, flags: object) -> int:
        assert (int(ffi.cast("long", number)), int(ffi.cast("long", flags))) == (461, 0)
        room = ffi.cast("uint64_t *", ids)
        assert ffi.cast("uint32_t *", size)[0] >= 8 * len(self.ids)
        for at, one in enumerate(self.ids):
            room[at] = one
        return -1 if self.fails else len(self.ids)


def test_names_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lsm, "lib", Answering(108, 100, 110, 999))
    assert lsm.list_modules() == ["lockdown", "capability", "bpf", "lsm-999"]


def test_kernels_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lsm, "lib", Answering(fails=True))
    assert lsm.list_modules() is None


def test_machines_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    syscall_number.cache_clear()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "", "", "", "m68k")))
    assert lsm.list_modules() is None
    syscall_number.cache_clear()
