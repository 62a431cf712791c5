"""Information of kernels older and newer than ours, as the kernel's code would give it."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.kernel import info
from bpfctl.kernel.layout import field_end
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.uapi import Cmd
from tests.fakes.kernel import FakeKernel, memory

if TYPE_CHECKING:
    from collections.abc import Callable


def knowing(kind: str, size: int, fill: Callable[[Any], None]) -> FakeKernel:
    """Make a kernel whose struct has `size` bytes; `fill` writes what it knows into ours.

    As bpf_check_uarg_tail_zero() and the copy to user space do (kernel/bpf/syscall.c).
    """

    def answer(union: Any, attr_size: int) -> int:
        assert attr_size == 16
        asked = union.info
        ours = memory(asked.info, asked.info_len)
        if any(ours[size:]):
            return -errno.E2BIG
        struct = ffi.new(f"struct {kind} *")
        ffi.memmove(struct, ours, len(ours))
        fill(struct)
        asked.info_len = min(asked.info_len, size)
        ours[: asked.info_len] = ffi.buffer(struct)[: asked.info_len]
        return 0

    return FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, answer)


def size_through(kind: str, field: str) -> int:
    return field_end(f"struct {kind}", field)


def give(struct: Any, pointer: str, count: str, data: bytes, item_bytes: int = 1) -> None:
    """Write a tail as the kernel does: as much as there is room for, then the whole count."""
    room = getattr(struct, count)
    have = len(data) // item_bytes
    setattr(struct, count, have)
    if room and getattr(struct, pointer):
        size = min(room, have) * item_bytes
        memory(getattr(struct, pointer), size)[:] = data[:size]


def test_an_older_kernel_leaves_fields_unknown() -> None:
    def fill(struct: Any) -> None:
        struct.type, struct.id, struct.map_extra = 1, 7, 0
        struct.name = list(b"counts")

    with knowing("bpf_map_info", size_through("bpf_map_info", "btf_value_type_id"), fill):
        found = info.map_info(3)
    assert (found.number("id"), found.text("name"), found.filled) == (7, "counts", 76)
    assert (found.number("ifindex"), found.number("map_extra")) == (0, None)
    assert (found.knows("btf_value_type_id"), found.knows("map_extra")) == (True, False)


def test_a_newer_kernel_fills_what_we_have() -> None:
    def fill(struct: Any) -> None:
        struct.id = 8

    with knowing("bpf_prog_info", ffi.sizeof("struct bpf_prog_info") + 64, fill):
        found = info.prog_info(3)
    assert (found.number("id"), found.number("attach_btf_id"), found.filled) == (8, 0, 232)


def test_a_field_nobody_has_is_a_mistake() -> None:
    with knowing("bpf_prog_info", 232, lambda _: None), pytest.raises(KeyError):
        info.prog_info(3).number("no_such_field")


def test_fields_of_parts() -> None:
    def fill(struct: Any) -> None:
        struct.type, struct.tcx.ifindex, struct.tcx.attach_type = 11, 2, 46

    with knowing("bpf_link_info", 64, fill):
        found = info.link_info(3)
    assert [found.number(f"tcx.{name}") for name in ("ifindex", "attach_type")] == [2, 46]
    assert found.knows("perf_event.kprobe.cookie")


def test_raw_bytes_and_odd_names() -> None:
    def fill(struct: Any) -> None:
        struct.tag = list(bytes(range(8)))
        struct.name = list(b"caf\xe9\0after")

    with knowing("bpf_prog_info", 232, fill):
        found = info.prog_info(3)
    assert (found.raw("tag"), found.text("name")) == (bytes(range(8)), "caf\udce9")


@pytest.mark.parametrize("number", [errno.EBADF, errno.EINVAL])
def test_errors_pass(number: int) -> None:
    kernel = FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, -number)
    with kernel, pytest.raises(SyscallError) as caught:
        info.prog_map_ids(3)
    assert (caught.value.errno, caught.value.call) == (number, "BPF_OBJ_GET_INFO_BY_FD")


@pytest.mark.parametrize("ids", [[], [5], [5, 9, 0xFFFFFFFF]], ids=str)
def test_map_ids(ids: list[int]) -> None:
    data = b"".join(i.to_bytes(4, "little") for i in ids)
    with knowing("bpf_prog_info", 232, lambda s: give(s, "map_ids", "nr_map_ids", data, 4)):
        assert info.prog_map_ids(3) == ids


def test_a_tail_that_grew_meanwhile_is_cut() -> None:
    sizes = iter([2, 3])

    def fill(struct: Any) -> None:
        give(struct, "map_ids", "nr_map_ids", bytes(range(4 * next(sizes))), 4)

    with knowing("bpf_prog_info", 232, fill):
        assert info.prog_map_ids(3) == [0x03020100, 0x07060504]


def test_a_count_beyond_reason_is_not_believed() -> None:
    def fill(struct: Any) -> None:
        struct.xlated_prog_len = 0xFFFFFFF8

    kernel = knowing("bpf_prog_info", 232, fill)
    with kernel:
        assert info.prog_xlated(3) == b""
    assert len(kernel.calls) == 1


@pytest.mark.parametrize("name", ["func_info", "line_info"])
def test_records(name: str) -> None:
    size = {"func_info": 8, "line_info": 16}[name]
    data = bytes(range(2 * size))
    asked_sizes = []

    def fill(struct: Any) -> None:
        asked_sizes.append(getattr(struct, f"{name}_rec_size"))
        setattr(struct, f"{name}_rec_size", size)
        give(struct, name, f"nr_{name}", data, size)

    read = {"func_info": info.prog_func_info, "line_info": info.prog_line_info}[name]
    with knowing("bpf_prog_info", 232, fill):
        assert read(3) == (data, size)
    assert asked_sizes[-1] == size  # the kernel writes records only of a size it was told


def test_no_records() -> None:
    with knowing("bpf_prog_info", 232, lambda _: None):
        assert info.prog_func_info(3) == (b"", 0)


def test_instructions_that_are_withheld() -> None:
    def fill(struct: Any) -> None:  # as bpf_prog_get_info_by_fd() without bpf_dump_raw_ok()
        struct.xlated_prog_len, struct.jited_prog_len = 16, 20
        struct.xlated_prog_insns = struct.jited_prog_insns = 0

    with knowing("bpf_prog_info", 232, fill):
        assert (info.prog_xlated(3), info.prog_jited(3)) == (b"", b"")


def test_instructions() -> None:
    def fill(struct: Any) -> None:
        give(struct, "xlated_prog_insns", "xlated_prog_len", b"i" * 16)
        give(struct, "jited_prog_insns", "jited_prog_len", b"j" * 20)

    with knowing("bpf_prog_info", 232, fill):
        assert (info.prog_xlated(3), info.prog_jited(3)) == (b"i" * 16, b"j" * 20)


def test_type_information_before_it_had_names() -> None:
    def fill(struct: Any) -> None:
        struct.id = 1
        give(struct, "btf", "btf_size", b"types")

    with knowing("bpf_btf_info", 16, fill):  # Linux 5.10
        found, name = info.btf_info(3)
        assert (found.number("id"), found.number("kernel_btf"), name) == (1, None, "")
        assert info.btf_data(3) == b"types"


@pytest.mark.parametrize("name", ["", "vmlinux"])
def test_names_of_type_information(name: str) -> None:
    def fill(struct: Any) -> None:
        give(struct, "name", "name_len", name.encode() + b"\0" if name else b"")
        struct.name_len = len(name)

    with knowing("bpf_btf_info", 32, fill):
        assert info.btf_info(3)[1] == name


def test_names_behind_links() -> None:
    def fill(struct: Any) -> None:
        probe = struct.perf_event.kprobe
        give(probe, "func_name", "name_len", b"do_unlinkat\0")

    with knowing("bpf_link_info", 64, fill):
        assert info.link_text(3, "perf_event.kprobe", "func_name", "name_len") == "do_unlinkat"


def test_names_behind_links_that_an_older_kernel_does_not_tell() -> None:
    kernel = knowing("bpf_link_info", 32, lambda _: None)  # Linux 5.15: no probes
    with kernel:
        assert info.link_text(3, "perf_event.kprobe", "func_name", "name_len") == ""
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, -errno.EPERM), pytest.raises(SyscallError):
        info.link_text(3, "iter", "target_name", "target_name_len")
