"""The running kernel's types with one of a kind that no kernel has yet among them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.decode import Btf
from bpfctl.features.doctor import examine
from bpfctl.features.machine import read_machine
from bpfctl.objects.btf import KERNEL_FILE
from tests.cli.runner import in_process

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.shared
DATA = Path(__file__).parent.parent / "data"
FUTURE = 100  # a kind; 2 elements of 8 bytes, and 4 bytes before them
RECORD = struct.pack("<III", 0, FUTURE << 24 | 2, 8) + bytes(4 + 2 * 8)
LAYOUT = bytes(4) * FUTURE + bytes((4, 8, 0, 0))


def with_future(*, told: bool) -> bytes:
    """Return the kernel's types with the record behind; `told`: and how large it is."""
    data = Path(KERNEL_FILE).read_bytes()
    header = Btf.parse(data).header
    types = data[header.type_off : header.type_off + header.type_len] + RECORD
    strings = data[header.str_off : header.str_off + header.str_len]
    sizes, head = (LAYOUT, 32) if told else (b"", 24)
    sections = [0, len(types), len(types), len(strings)]
    at = len(types) + len(strings)
    padding = bytes(-at % 4)
    fields = [*sections, at + len(padding), len(sizes)] if told else sections
    start = struct.pack("<HBBI", 0xEB9F, 1, 0, head)
    return start + struct.pack(f"<{len(fields)}I", *fields) + types + strings + padding + sizes


@pytest.fixture(scope="module")
def future(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, str]]:
    """Return both files: with the sizes, and without."""
    place = tmp_path_factory.mktemp("future")
    paths = {}
    for told in (True, False):
        path = place / f"vmlinux-{told}"
        path.write_bytes(with_future(told=told))
        paths[told] = str(path)
    yield paths
    for path in place.iterdir():
        path.unlink()


def test_a_load_goes_on(future: dict[bool, str], bpffs: Path) -> None:
    words = ["prog", "loadall", str(DATA / "core.bpf.o"), str(bpffs / "x")]
    done = in_process(*words, "kernel_btf", future[True])
    assert (done.status, done.err) == (0, "")


@pytest.mark.explains("btf-unknown-kind")
def test_a_load_that_cannot(future: dict[bool, str], bpffs: Path) -> None:
    words = ["prog", "loadall", str(DATA / "core.bpf.o"), str(bpffs / "x")]
    error = in_process("-j", *words, "kernel_btf", future[False]).json["error"]
    assert error["code"] == "btf-unknown-kind"
    assert f"has a record of unknown kind {FUTURE} (type " in error["message"]
    assert error["remedy"].startswith("use a newer bpfctl")
    assert not (bpffs / "x").exists()


def test_what_needs_no_types_loads_all_the_same(future: dict[bool, str], bpffs: Path) -> None:
    words = ["prog", "load", str(DATA / "tracepoint.bpf.o"), str(bpffs / "p")]
    assert in_process(*words, "kernel_btf", future[False]).status == 0


def test_what_was_passed_over_is_said(future: dict[bool, str]) -> None:
    done = in_process("btf", "dump", "file", future[True], "format", "c")
    said = f"left out: 1 type of kind {FUTURE}, newer than bpfctl knows\n"
    assert (done.status, done.err) == (0, said)
    assert "struct task_struct {" in done.out
    findings = examine(read_machine(future[True])).findings["kernel"]
    (types,) = [one for one in findings if one.name == "BTF"]
    assert types.seen.endswith(f"passed over, newer than bpfctl: 1 of kind {FUTURE}")
    (broken,) = [
        one for one in examine(read_machine(future[False])).findings["kernel"] if one.name == "BTF"
    ]
    assert f"unknown kind {FUTURE}" in broken.seen
