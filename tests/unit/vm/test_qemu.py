"""The command line of a machine: how it is emulated, and what its kernel is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vm import kvm, qemu
from tests.vm.kernels import Kernel
from tests.vm.qemu import Disk


def words_of(
    words: str, monkeypatch: pytest.MonkeyPatch, *, works: bool = False, keeps: bool = False
) -> list[str]:
    monkeypatch.setattr(kvm, "works", lambda: works)
    monkeypatch.setattr(qemu, "program", lambda name: name)
    kernel = Kernel("6.1", "6.1.0-1", Path("/k"), words)
    return qemu.command(kernel, Path("/i"), [Disk("root", Path("/r"), keeps=keeps)], Path("/c"))


def after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


@pytest.mark.parametrize(
    ("works", "accelerator", "processor"),
    [
        pytest.param(True, "kvm", "max", id="kvm"),
        pytest.param(False, "tcg,thread=single", "max,cx16=off", id="emulation"),
    ],
)
def test_what_emulation_does_wrongly_is_left_out(
    works: bool, accelerator: str, processor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = words_of("", monkeypatch, works=works)
    assert (after(found, "-accel"), after(found, "-cpu")) == (accelerator, processor)


@pytest.mark.parametrize("words", ["", "slab_debug=F"])
def test_the_kernel_is_told_its_own_words(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = after(words_of(words, monkeypatch), "-append")
    assert told == f"{qemu.KERNEL_WORDS} {words}".rstrip()


@pytest.mark.parametrize(("keeps", "snapshot"), [(True, "off"), (False, "on")])
def test_only_some_disks_keep_changes(
    keeps: bool, snapshot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = after(words_of("", monkeypatch, keeps=keeps), "-drive")
    assert drive == f"file=/r,id=root,format=raw,if=none,snapshot={snapshot}"
