"""The running kernel's types with the index that commands keep: the same answers as without."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.types import Kind
from bpfctl.linux.run_files import RunFiles
from bpfctl.objects.btf import KERNEL_FILE
from bpfctl.objects.btf_index import NAME, SWITCH, read_indexed

if TYPE_CHECKING:
    from pathlib import Path

    from bpfctl.btf.decode import Btf

KINDS = frozenset({Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.ENUM64, Kind.TYPEDEF, Kind.INT})


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Btf, Btf]:
    """The types without and with an index."""
    files = RunFiles(str(tmp_path / "run"), os.geteuid())
    monkeypatch.setenv(SWITCH, "1")
    walked = read_indexed(KERNEL_FILE, files)
    monkeypatch.delenv(SWITCH)
    read_indexed(KERNEL_FILE, files)
    assert files.read(NAME) is not None
    with monkeypatch.context() as patch:
        patch.delattr("bpfctl.btf.layout.walk_records")
        return walked, read_indexed(KERNEL_FILE, files)


@pytest.mark.shared
def test_every_type_and_name_is_the_same(both: tuple[Btf, Btf]) -> None:
    walked, indexed = both
    assert len(walked) == len(indexed) > 10_000
    by_name: dict[str, list[int]] = {}
    for number in range(1, len(walked)):
        assert indexed.record_offset(number) == walked.record_offset(number)
        name = walked.name(number)
        assert indexed.name(number) == name
        if walked.kind_number(number) in KINDS:
            by_name.setdefault(name, []).append(number)
    by_name.pop("", None)
    for name, numbers in by_name.items():
        assert indexed.find_all(name, KINDS) == numbers


@pytest.mark.shared
def test_searching_for_names_agrees(both: tuple[Btf, Btf]) -> None:
    """The plain search looks through megabytes each time: a hundred names of each sort must do."""
    walked, indexed = both
    for kinds in (KINDS, {Kind.FUNC}):
        of_kind = [n for n in range(1, len(walked)) if walked.kind_number(n) in kinds]
        for number in of_kind[:: len(of_kind) // 100]:
            name = walked.name(number)
            assert indexed.find_flavors(name, kinds) == walked.find_flavors(name, kinds)
            assert indexed.find_all(name, kinds) == walked.find_all(name, kinds)
