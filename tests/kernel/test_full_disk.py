"""A command whose answer cannot be written has failed, and what it made is gone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bpfctl.kernel.attr import map_create
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.info import map_info
from bpfctl.kernel.uapi import MapType
from tests.cli.runner import PROGRAM, Done, in_process


def to_a_full_disk(*words: str) -> int:
    with Path("/dev/full").open("w") as full:
        return subprocess.run([*PROGRAM, "-j", *words], check=False, stdout=full).returncode


@pytest.mark.parametrize(
    "words",
    [
        "prog load {data}/raw_tp.bpf.o {bpffs}/new",
        "prog loadall {data}/maps.bpf.o {bpffs}/new pinmaps {bpffs}/new",
        "prog pin {bpffs}/prog {bpffs}/new",
        "link create {bpffs}/prog raw_tracepoint sched_process_exec --pin {bpffs}/new",
        "link pin {bpffs}/link {bpffs}/new",
        "iter pin {data}/iter_task.bpf.o {bpffs}/new",
    ],
    ids=lambda words: " ".join(words.split()[:2]),
)
def test_nothing_new_is_pinned(words: str, data: Path, bpffs: Path) -> None:
    made = (
        ("prog", "load", f"{data}/raw_tp.bpf.o", f"{bpffs}/prog"),
        ("link", "create", f"{bpffs}/prog", "raw_tp", "sched_process_exec", "pin", f"{bpffs}/link"),
    )
    for command in made:
        assert in_process(*command) == Done(0, "", "")
    before = sorted(bpffs.iterdir())
    assert to_a_full_disk(*words.format(data=data, bpffs=bpffs).split()) == 1
    assert sorted(bpffs.iterdir()) == before


def test_no_new_pin_of_a_map(bpffs: Path) -> None:
    attr = map_create(map_type=MapType.ARRAY, key_size=4, value_size=4, max_entries=1)
    with bpf_fd(attr) as fd:
        number = str(map_info(fd).number("id"))
        assert to_a_full_disk("map", "pin", "id", number, f"{bpffs}/new") == 1
        assert list(bpffs.iterdir()) == []
        assert in_process("map", "pin", "id", number, f"{bpffs}/new") == Done(0, "", "")
        assert [path.name for path in bpffs.iterdir()] == ["new"]
