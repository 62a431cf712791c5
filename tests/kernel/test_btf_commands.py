"""`bpfctl btf` on the real kernel: what bpftool lists and dumps."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.runner import as_program

if TYPE_CHECKING:
    from pathlib import Path

VMLINUX = "/sys/kernel/btf/vmlinux"


@pytest.fixture
def pinned(bpffs: Path, data: Path) -> Path:
    """Load an object with types, and return where its program is pinned."""
    done = as_program("prog", "loadall", str(data / "core.bpf.o"), str(bpffs / "p"))
    assert done.status == 0, done.err
    return bpffs / "p" / "use_core"


def shown(pinned: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(as_program("-j", "prog", "show", "pinned", str(pinned)).out)
    return record


def by_bpftool(*words: str) -> Any:
    """Run bpftool; before its answer 7.1 writes an error and a comma on Linux 5.10."""
    text = subprocess.run(
        ["bpftool", "-j", *words], capture_output=True, text=True, check=True
    ).stdout.strip()
    found, decoder = None, json.JSONDecoder()
    while text:
        found, end = decoder.raw_decode(text)
        text = text[end:].lstrip(", \n")
    return found


def test_list(pinned: Path) -> None:
    btf_id = shown(pinned)["btf_id"]
    theirs = {one["id"]: one for one in by_bpftool("btf", "list")}
    ours = {one["id"]: one for one in json.loads(as_program("-j", "btf", "show").out)}
    of_kernel = {1} & theirs.keys()  # before Linux 5.11 its types have no id
    for number in {btf_id} | of_kernel:
        assert keys_of(ours[number]) == keys_of(theirs[number])
    one = json.loads(as_program("-j", "btf", "show", "id", str(btf_id)).out)
    assert keys_of(one) == keys_of(theirs[btf_id])


def keys_of(record: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on other programs' coming and going.

    Before Linux 5.11 the kernel does not tell what it made itself; bpftool then says false.
    """
    whole = record | {"map_ids": sorted(record["map_ids"]), "kernel": record.get("kernel", False)}
    return {key: value for key, value in whole.items() if key != "pids"}


@pytest.mark.parametrize("what", ["prog", "id", "map"])
def test_dump_of_what_is_loaded(what: str, pinned: Path) -> None:
    prog = shown(pinned)
    words = {
        "prog": ["prog", "pinned", str(pinned)],
        "id": ["id", str(prog["btf_id"])],
        "map": ["map", "id", str(prog["map_ids"][0]), "value"],
    }[what]
    theirs = subprocess.run(
        ["bpftool", "btf", "dump", *words], capture_output=True, text=True, check=True
    ).stdout
    assert as_program("btf", "dump", *words).out == theirs
    assert json.loads(as_program("-j", "btf", "dump", *words).out) == by_bpftool(
        "btf", "dump", *words
    )


@pytest.mark.shared
def test_the_kernels_types_are_bpftools(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for tool, place in (("bpfctl", ours), ("bpftool", theirs)):
        with place.open("wb") as sink:
            subprocess.run([tool, "btf", "dump", "file", VMLINUX], stdout=sink, check=True)
    assert ours.read_bytes() == theirs.read_bytes()
