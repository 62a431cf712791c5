"""The kernel's own types, from its file."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.errors import BtfError, NotSupportedError, PathError
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.uapi import Cmd
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.objects import btf
from bpfctl.objects.btf import module_btfs, read_kernel_btf
from tests.fakes.kernel import FakeKernel, memory


def test_the_file_is_read_once_whoever_asks(tmp_path: Path) -> None:
    builder = BtfBuilder()
    builder.add(t.Int(1, "int", 4, 1, 0, 32))
    place = tmp_path / "vmlinux"
    place.write_bytes(builder.build())
    first = read_kernel_btf(str(place))
    place.unlink()
    assert read_kernel_btf(str(place)) is first
    assert KernelBtf(str(place)).btf is first
    assert KernelBtf(str(place)).core_target.btf is first


def test_other_types_are_for_core_alone(tmp_path: Path) -> None:
    builder = BtfBuilder()
    builder.add(t.Int(1, "int", 4, 1, 0, 32))
    kernel, other = tmp_path / "vmlinux", tmp_path / "other"
    kernel.write_bytes(builder.build())
    builder.add(t.Int(2, "char", 1, 1, 0, 8))
    other.write_bytes(builder.build())
    found = KernelBtf(str(kernel), str(other))
    assert found.core_target.btf.data == other.read_bytes()
    assert found.btf.data == kernel.read_bytes()


def test_a_kernel_without_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(tmp_path / "vmlinux")
    monkeypatch.setattr("bpfctl.objects.btf.KERNEL_FILE", place)
    with pytest.raises(NotSupportedError) as caught:
        read_kernel_btf(place)
    assert (caught.value.code, caught.value.since) == ("kernel-btf-missing", "5.4")
    assert caught.value.evidence[0] == f"there is no {place}"
    assert "--kernel-btf FILE" in (caught.value.remedy or "")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """That says nothing about the kernel."""
    with pytest.raises(PathError, match="cannot read it: is a directory"):
        read_kernel_btf(str(tmp_path))
    with pytest.raises(PathError, match="cannot read it: no such file"):
        read_kernel_btf(str(tmp_path / "gone"))


def test_types_in_an_elf_file() -> None:
    """A vmlinux image carries them in a section, and any object does."""
    path = Path(__file__).parents[2] / "data" / "core.bpf.o"
    assert read_kernel_btf(str(path)).find("task_struct", t.Kind.STRUCT) is not None


def test_a_file_of_something_else(tmp_path: Path) -> None:
    place = tmp_path / "vmlinux"
    place.write_bytes(b"no types at all")
    with pytest.raises(BtfError, match="magic number") as caught:
        read_kernel_btf(str(place))
    assert caught.value.path == str(place)


def types_of(name: str, base: Btf | None = None) -> Btf:
    first = len(base) if base else 1
    builder = BtfBuilder(first_id=first, first_string=base.header.str_len if base else 0)
    builder.add(t.Int(first, name, 4, 1, 0, 32))
    return Btf.parse(builder.build(), base=base)


def listing(*found: tuple[str, int, bytes]) -> FakeKernel:
    """A kernel whose BTF objects have these names, flags (made by the kernel) and bytes."""
    last: list[int] = [0]

    def next_id(union: Any, size: int) -> int:
        del size
        if union.start_id >= len(found):
            return -errno.ENOENT
        union.next_id = union.start_id + 1
        return 0

    def fill(union: Any, size: int) -> int:
        del size
        name, by_kernel, data = found[last[0] - 1]
        info = ffi.cast("struct bpf_btf_info *", union.info.info)
        info.kernel_btf, info.id = by_kernel, last[0]
        if info.name:
            memory(info.name, info.name_len)[: len(name) + 1] = name.encode() + b"\0"
        info.name_len = len(name)
        if info.btf:
            memory(info.btf, info.btf_size)[:] = data
        info.btf_size = len(data)
        return 0

    kernel = FakeKernel()

    def opened(union: Any, size: int) -> int:
        last[0] = union.btf_id
        return kernel.new_fd(union, size)

    kernel.on(Cmd.BTF_GET_NEXT_ID, next_id).on(Cmd.BTF_GET_FD_BY_ID, opened)
    return kernel.on(Cmd.OBJ_GET_INFO_BY_FD, fill)


@pytest.fixture
def a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A /sys/kernel/btf with a module's types."""
    for name in ("vmlinux", "nf_tables"):
        (tmp_path / name).touch()
    monkeypatch.setattr(btf, "KERNEL_FOLDER", str(tmp_path))


@pytest.mark.usefixtures("a_module")
def test_modules_go_on_from_the_kernels_types() -> None:
    base = types_of("int")
    module = types_of("long", base).data
    kernel = listing(("vmlinux", 1, b""), ("", 0, b""), ("nf_tables", 1, module))
    with kernel:
        found = [(name, number, types.name(len(base))) for name, number, types in module_btfs(base)]
    assert found == [("nf_tables", 3, "long")]


@pytest.mark.parametrize("names", [["vmlinux"], []], ids=["the kernel only", "nothing"])
def test_no_object_is_asked_where_no_module_has_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str]
) -> None:
    for name in names:
        (tmp_path / name).touch()
    monkeypatch.setattr(btf, "KERNEL_FOLDER", str(tmp_path))
    with FakeKernel() as kernel:
        assert list(module_btfs(types_of("int"))) == []
    assert kernel.calls == []


def test_objects_are_asked_where_modules_cannot_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(btf, "KERNEL_FOLDER", str(tmp_path / "none"))
    base = types_of("int")
    with listing(("nf_tables", 1, types_of("long", base).data)):
        assert [name for name, _, _ in module_btfs(base)] == ["nf_tables"]


@pytest.mark.usefixtures("a_module")
def test_who_may_not_list_sees_no_modules() -> None:
    with FakeKernel().on(Cmd.BTF_GET_NEXT_ID, -errno.EPERM):
        assert list(module_btfs(types_of("int"))) == []


def one_id(union: Any, size: int) -> int:
    del size
    union.next_id = 1
    return 0


@pytest.mark.usefixtures("a_module")
def test_a_module_that_goes_meanwhile_is_left_out() -> None:
    kernel = FakeKernel().on(Cmd.BTF_GET_NEXT_ID, one_id, -errno.ENOENT)
    with kernel.on(Cmd.BTF_GET_FD_BY_ID, -errno.ENOENT):
        assert list(module_btfs(types_of("int"))) == []


def test_types_of_another_kernel_have_no_modules(tmp_path: Path) -> None:
    place = tmp_path / "vmlinux"
    place.write_bytes(types_of("int").data)
    assert KernelBtf(str(place)).modules == ()
