"""What loads and calls take: as the manual's table says, which real kernels confirm."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.kernel.uapi import MapType, ProgType
from bpfctl.linux.caps import Capability
from bpfctl.objects.needs import of_attach, of_call, of_map, of_program

ROOT = Path(__file__).parents[3]
ROWS = tomllib.loads((ROOT / "man" / "capabilities.toml").read_text())["row"]
LOADS = [
    row
    for row in ROWS
    if row["run"].startswith("prog load ") and row["run"].split()[-2] == "--program"
]


@pytest.mark.parametrize("row", LOADS, ids=lambda row: row["of"])
def test_program_types(row: dict[str, Any]) -> None:
    words = row["run"].split()
    path, name = words[2].format(data=ROOT / "tests/data"), words[words.index("--program") + 1]
    (program,) = (one for one in read_object(path).programs if one.name == name)
    needed = [f"CAP_{one.name}" for one in of_program(program.section.prog_type)]
    assert needed == row["needs"]


def test_programs_that_extend_others_take_all() -> None:
    all_of_them = (Capability.BPF, Capability.PERFMON, Capability.NET_ADMIN)
    assert of_program(ProgType.EXT) == all_of_them


def test_maps() -> None:
    assert of_map(MapType.HASH) == (Capability.BPF,)
    assert of_map(MapType.SOCKMAP) == (Capability.BPF, Capability.NET_ADMIN)


@pytest.mark.parametrize(
    ("call", "needed"),
    [
        ("BPF_LINK_GET_NEXT_ID", (Capability.SYS_ADMIN,)),
        ("BPF_MAP_GET_FD_BY_ID", (Capability.SYS_ADMIN,)),
        ("BPF_BTF_LOAD", (Capability.BPF,)),
        ("perf_event_open", (Capability.PERFMON,)),
        ("BPF_OBJ_GET", ()),
    ],
)
def test_calls(call: str, needed: tuple[Capability, ...]) -> None:
    assert of_call(call) == needed


def test_cgroup_skb_is_asked_when_it_is_attached() -> None:
    assert of_attach("BPF_LINK_CREATE", ProgType.CGROUP_SKB) == (Capability.NET_ADMIN,)
    assert of_attach("BPF_LINK_CREATE", ProgType.CGROUP_DEVICE) == ()
    assert of_attach("perf_event_open", ProgType.TRACEPOINT) == (Capability.PERFMON,)
