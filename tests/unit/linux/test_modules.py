"""Whether a kernel module is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.linux.modules import ModuleState, module_state

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("veth", ModuleState.LOADED),
        ("nf_conntrack", ModuleState.LOADABLE),
        ("nf-conntrack", ModuleState.LOADABLE),
        ("kvm", ModuleState.LOADABLE),
        ("unix", ModuleState.BUILT_IN),
        ("none", ModuleState.ABSENT),
        ("../x", ModuleState.ABSENT),
    ],
)
def test_state(name: str, state: ModuleState, tmp_path: Path) -> None:
    for built_in in ("unix", "veth"):
        (tmp_path / built_in).mkdir()
    (tmp_path / "veth" / "initstate").write_text("live\n")
    (tmp_path / "modules.builtin").write_text("kernel/net/unix/unix.ko\n")
    (tmp_path / "modules.dep").write_text(
        "kernel/net/nf-conntrack.ko.xz: kernel/lib/crc.ko.xz\nkernel/kvm.ko: kernel/irq.ko\n"
    )
    assert module_state(name, str(tmp_path), str(tmp_path)) is state


def test_nothing_tells(tmp_path: Path) -> None:
    assert module_state("veth", str(tmp_path), str(tmp_path / "no")) is ModuleState.UNKNOWN
