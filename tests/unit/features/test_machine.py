"""What `doctor` reads of the machine it runs on."""

from __future__ import annotations

import errno
import resource
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.features.machine import Modules, btf_trouble, count_modules, read_machine
from bpfctl.features.memlock import memlock_counts
from bpfctl.kernel.uapi import Cmd
from tests.fakes.kernel import FakeKernel
from tests.unit.features.kernels import vmlinux, willing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_trouble_with_types(tmp_path: Path) -> None:
    assert btf_trouble(str(tmp_path / "absent")) == "there is none"
    assert btf_trouble(str(tmp_path)) == "is a directory"
    (tmp_path / "broken").write_bytes(b"no types")
    assert btf_trouble(str(tmp_path / "broken")) != ""
    (tmp_path / "whole").write_bytes(vmlinux())
    assert btf_trouble(str(tmp_path / "whole")) == ""


def test_modules(tmp_path: Path) -> None:
    types, proc = tmp_path / "btf", tmp_path / "modules"
    types.mkdir()
    for name in ("vmlinux", "one"):
        (types / name).touch()
    assert count_modules(str(types), str(proc)) is None
    (tmp_path / "self").mkdir()  # /proc is there: a kernel without modules
    assert count_modules(str(types), str(proc)) == Modules(0, 0)
    proc.write_text("one 16384 0 - Live 0x0\ntwo 4096 1 one, Live 0x0\n")
    assert count_modules(str(types), str(proc)) == Modules(2, 1)
    assert count_modules(str(tmp_path / "absent"), str(proc)) == Modules(2, 0)
    assert count_modules(str(types), str(tmp_path)) is None


def charging(kernel: FakeKernel) -> Callable[[Any, int], int]:
    """Refuse maps as long as the limit is 0, as Linux 5.10 does."""

    def answer(union: Any, size: int) -> int:
        limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        return -errno.EPERM if limit == 0 else kernel.new_fd(union, size)

    return answer


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param("charging", True, id="counts"),
        pytest.param("willing", False, id="does-not-count"),
        pytest.param(-errno.EPERM, None, id="never-permitted"),
        pytest.param(-errno.ENOSYS, None, id="no-bpf"),
    ],
)
def test_memlock(answer: str | int, expected: bool | None) -> None:
    kernel = FakeKernel()
    answers = {"charging": charging(kernel), "willing": kernel.new_fd}
    kernel.on(Cmd.MAP_CREATE, answers[answer] if isinstance(answer, str) else answer)
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    with kernel:
        assert memlock_counts() is expected
    assert resource.getrlimit(resource.RLIMIT_MEMLOCK) == before


def test_a_machine(tmp_path: Path) -> None:
    types = tmp_path / "vmlinux"
    types.write_bytes(vmlinux("BPF_TRACE_ITER"))
    with willing():
        found = read_machine(str(types))
    assert found.btf_types == 11
    assert found.btf_error == ""
    assert found.knows_tokens is None
    assert found.memlock_counts is False
    assert sorted(found.programs) == ["fentry", "iter", "kprobe", "lsm", "socket", "tp_btf"]
    with willing():
        assert read_machine(str(tmp_path / "absent")).btf_error == "there is none"
