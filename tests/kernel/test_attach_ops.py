"""Links of struct_ops maps by `link create`, `link update` and `prog loadall --attach`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.errors import SyscallError
from bpfctl.kernel.info import map_info
from bpfctl.loader.pipeline import load
from bpfctl.loader.struct_ops_load import register
from bpfctl.objects.pin import pin
from tests.cli.runner import Done, in_process
from tests.kernel import needs
from tests.kernel.test_struct_ops import LINKED, available

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [needs.STRUCT_OPS, needs.STRUCT_OPS_LINK]
DONE = Done(0, "", "")


def wait_until_gone() -> None:
    """The kernel puts the end of a link off until a worker has the time."""
    deadline = time.monotonic() + 10
    while available(LINKED):
        assert time.monotonic() < deadline, f"{LINKED} stays"
        time.sleep(0.02)


@pytest.fixture
def filled(data: Path, bpffs: Path) -> str:
    """Pin a map that is filled and that no link holds any more."""
    with load(read_object(str(data / "struct_ops_link.bpf.o"))) as loaded:
        link = register(loaded, LINKED).link
        assert link is not None
        link.close()
        pin(loaded.maps[LINKED].fd, f"{bpffs}/first")
    wait_until_gone()
    return f"{bpffs}/first"


def test_create(filled: str, bpffs: Path) -> None:
    link = bpffs / "link"
    assert in_process("link", "create", "struct_ops", filled, "--pin", str(link)) == DONE
    assert available(LINKED)
    shown = in_process("-j", "link", "show", str(link)).json
    assert (shown["type"], shown["prog_id"]) == ("struct_ops", 0)
    assert shown["attached_to"] == f"map {shown['map_id']} {LINKED}"
    link.unlink()
    wait_until_gone()


def test_update(filled: str, data: Path, bpffs: Path) -> None:
    link = f"{bpffs}/link"
    assert in_process("link", "create", "struct_ops", filled, "--pin", link) == DONE
    with load(read_object(str(data / "struct_ops_link.bpf.o"))) as second:
        with pytest.raises(SyscallError):  # the name is taken, but the map is filled now
            register(second, LINKED)
        pin(second.maps[LINKED].fd, f"{bpffs}/second")
        number = map_info(second.maps[LINKED].fd).number("id")
    assert in_process("link", "update", link, "struct_ops", f"{bpffs}/second") == DONE
    assert in_process("-j", "link", "show", link).json["map_id"] == number
    assert available(LINKED)


def test_maps_that_have_no_link(data: Path, bpffs: Path) -> None:
    with load(read_object(str(data / "struct_ops_link.bpf.o"))) as loaded:
        pin(loaded.maps[LINKED].fd, f"{bpffs}/empty")
    words = ("struct_ops", f"{bpffs}/empty", "--pin", f"{bpffs}/link")
    error = in_process("-j", "link", "create", *words).json["error"]
    assert (error["errno"], len(error["candidates"])) == ("EINVAL", 1)
    with load(read_object(str(data / "maps.bpf.o"))) as loaded:
        loaded.pin_maps(f"{bpffs}/maps")
    other = next((bpffs / "maps").iterdir())
    done = in_process("-j", "link", "create", "struct_ops", str(other), "--pin", f"{bpffs}/link")
    assert (done.status, done.json["error"]["code"]) == (2, "link-no-struct-ops")


def test_loadall_attaches_it(data: Path, bpffs: Path) -> None:
    path = str(data / "struct_ops_link.bpf.o")
    done = in_process("prog", "loadall", path, f"{bpffs}/all", "--attach")
    assert (done.status, done.out) == (0, "")
    assert available(LINKED)
    shown = in_process("-j", "link", "show", f"{bpffs}/all/{LINKED}").json
    assert shown["type"] == "struct_ops"
    assert in_process("prog", "unload", f"{bpffs}/all").status == 0
    wait_until_gone()
