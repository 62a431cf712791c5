"""Types of modules that bring a small base, put on the running kernel's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.types import Kind
from bpfctl.objects.btf import KERNEL_FILE, kernel_btf
from tests.builders.elf import ElfBuilder
from tests.cli.runner import in_process

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.shared


def module(path: Path, size_bytes: int) -> str:
    """Write a module with a struct in which there is a `list_head` of that size."""
    base = BtfBuilder()
    base.add(t.Struct(1, "list_head", size_bytes, ()))
    small = base.build()
    first = len(small) - 24 - 12
    mine = BtfBuilder(first_id=2, first_string=first)
    mine.add(t.Struct(2, "own", size_bytes, (t.Member("head", 1, 0),)))
    elf = ElfBuilder()
    elf.section(".BTF", mine.build())
    elf.section(".BTF.base", small)
    path.write_bytes(elf.build())
    return str(path)


def test_a_module_on_this_kernel(tmp_path: Path) -> None:
    path = module(tmp_path / "m.ko", 16)
    shown = in_process("btf", "show", "own", "file", path, "-B", KERNEL_FILE).out
    assert shown.splitlines()[1] == "    struct list_head head; /*     0      16 */"
    types = in_process("-j", "btf", "dump", "file", path, "-B", KERNEL_FILE).json["types"]
    found = kernel_btf().find("list_head", Kind.STRUCT)
    assert [one["members"][0]["type_id"] for one in types] == [found]
    assert types[0]["id"] == len(kernel_btf())


def test_without_a_base_it_has_its_own(tmp_path: Path) -> None:
    done = in_process("btf", "show", "own", "file", module(tmp_path / "m.ko", 16))
    assert "struct list_head head;" in done.out
    assert "m.ko: based on names and sizes of the kernel's types that it brings itself" in done.err


def test_what_is_extracted_is_put_on_a_base(tmp_path: Path) -> None:
    path, target = module(tmp_path / "m.ko", 16), str(tmp_path / "own.btf")
    assert in_process("btf", "extract", path, target, "-B", KERNEL_FILE).err == ""
    words = ["btf", "dump", "file", target, "-B", KERNEL_FILE]
    assert in_process(*words).out.startswith(f"[{len(kernel_btf())}] STRUCT 'own' size=16 vlen=1")
    assert (
        "--base-btf puts them on a kernel's own" in in_process("btf", "extract", path, target).err
    )


@pytest.mark.explains("btf-base-differs")
def test_a_kernel_that_differs(tmp_path: Path) -> None:
    path = module(tmp_path / "m.ko", 24)
    done = in_process("-j", "btf", "dump", "file", path, "-B", KERNEL_FILE)
    error = done.json["error"]
    assert (done.status, error["code"]) == (1, "btf-base-differs")
    assert error["evidence"] == ["it has no struct list_head of 24 bytes, only of 16"]
