"""`gen min_core_btf`: with the small types objects are fitted as with all of the kernel's."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.core import CoreTarget, resolve
from bpfctl.btf.core_fixup import CoreKind
from bpfctl.btf.core_needs import Needs
from bpfctl.btf.decode import Btf
from bpfctl.elf.core_relos import core_relos
from bpfctl.errors import ObjectFileError, RelocationError
from bpfctl.objects.btf import kernel_btf
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import open_pin
from bpfctl.objects.prog import prog_info
from tests.cli.runner import in_process
from tests.kernel.test_feature_oracle import program
from tests.vm.newest_bpftool import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.btf.core_fixup import CoreFixup
    from bpfctl.btf.ext import CoreRelo

VMLINUX = "/sys/kernel/btf/vmlinux"
OBJECT = "iter_task.bpf.o"


@pytest.mark.shared
def test_every_relocation_of_the_test_objects(data: Path) -> None:
    """One small file for all of them, and one for each."""
    whole = kernel_btf()
    together = Needs(CoreTarget(whole))
    found = list(with_relocations(data))
    for btf, relos in found:
        for relo in relos:
            together.add(btf, relo)
    shared = Btf.parse(together.build())
    compared = 0
    for btf, relos in found:
        full, small = CoreTarget(whole), CoreTarget(shared)
        for relo in relos:
            if relo.kind != CoreKind.TYPE_ID_TARGET:
                assert answer(btf, relo, small) == answer(btf, relo, full)
                compared += 1
    assert compared > 20


def with_relocations(data: Path) -> Iterator[tuple[Btf, list[CoreRelo]]]:
    for path in sorted(data.glob("*.bpf.o")):
        try:
            found = core_relos(str(path))
        except ObjectFileError:  # of another byte order
            continue
        if found and found[1]:
            yield found


def answer(btf: Btf, relo: CoreRelo, target: CoreTarget) -> tuple[object, ...] | str:
    """What a relocation writes, or the code of its error."""
    try:
        one: CoreFixup = resolve(btf, relo, target)
    except RelocationError as err:
        return err.code
    return (one.kind, one.value, one.original, one.poison, one.value_bits, one.memory)


@pytest.mark.shared
def test_programs_are_the_same(tmp_path: Path, bpffs: Path, data: Path) -> None:
    """Their tags are hashes of their code: with our small types, bpftool's, and all types.

    Of bpftool only the newest can be told the types; the older one makes a small file too.
    """
    source = str(data / OBJECT)
    ours, theirs = tmp_path / "ours.btf", tmp_path / "theirs.btf"
    assert in_process("gen", "min_core_btf", VMLINUX, str(ours), source).status == 0
    subprocess.run(["bpftool", "gen", "min_core_btf", VMLINUX, str(theirs), source], check=True)
    newest = program(NAME)
    tags = {}
    for file in (VMLINUX, str(ours), str(theirs)):
        place = bpffs / f"bpfctl-{Path(file).stem}"
        done = in_process("prog", "loadall", source, str(place), "kernel_btf", file)
        assert done.status == 0, done.err
        tags["bpfctl", file] = tags_in(place)
        if newest:
            place = bpffs / f"bpftool-{Path(file).stem}"
            words = [newest, "prog", "loadall", source, str(place), "kernel_btf", file]
            subprocess.run(words, check=True, capture_output=True)
            tags["bpftool", file] = tags_in(place)
    assert tags["bpfctl", VMLINUX]
    assert len(set(tags.values())) == 1, tags


def tags_in(place: Path) -> tuple[tuple[str, str], ...]:
    found = []
    for pin in sorted(place.iterdir()):
        with open_pin(str(pin), ObjectKind.PROG)[1] as fd:
            found.append((pin.name, prog_info(fd).tag))
    return tuple(found)
