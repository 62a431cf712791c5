"""Programs of the running kernel, found in every way, with bpftool as the witness."""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.reader import read_object
from bpfctl.errors import NotFoundError, OutputError
from bpfctl.kernel.attr import btf_load, enable_stats, prog_load, prog_test_run
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.uapi import ProgType
from bpfctl.linux.version import kernel_version
from bpfctl.loader.pipeline import load as load_object
from bpfctl.objects.btf import kernel_btf, loaded_btf
from bpfctl.objects.ids import ObjectKind, ids, open_id
from bpfctl.objects.pin import id_of, pin
from bpfctl.objects.prog import ProgInfo, prog_info, programs
from bpfctl.objects.select import Selector, find
from tests.kernel import needs
from tests.kernel.small import RETURN_2, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bpfctl.kernel.fd import Fd

# Ours, which bpftool 7.1 does not have.
OURS = {"verified_insns", "attach_btf_id", "attach_btf_obj_id"}


def same(ours: ProgInfo, theirs: dict[str, Any]) -> None:
    """Compare key by key. The time of loading is worked out from clocks: a second may differ."""
    fields = {key: value for key, value in ours.to_json().items() if key not in OURS}
    theirs = {key: value for key, value in theirs.items() if key not in {"pids", "pinned"}}
    loaded_at = fields.pop("loaded_at")
    assert isinstance(loaded_at, int)
    assert abs(loaded_at - theirs.pop("loaded_at")) <= 1
    assert fields == theirs


@pytest.mark.parametrize(
    "name",
    [
        *("raw_tp", "iter_task", "connect4", "xdp_pass"),
        pytest.param("subprogs", marks=needs.CALLBACKS),
    ],
)
def test_programs_as_bpftool_shows_them(name: str, data: Path, bpftool: Callable[..., Any]) -> None:
    with load_object(read_object(str(data / f"{name}.bpf.o"))) as loaded:
        infos = [prog_info(one.fd) for one in loaded.programs.values()]
        shown = [bpftool("prog", "show", "id", str(info.id)) for info in infos]
        assert infos
        for info, theirs in zip(infos, shown, strict=True):
            same(info, theirs)
            assert info.verified_insns or kernel_version() < (5, 16, 0)


def test_a_program_without_types(bpftool: Callable[..., Any]) -> None:
    with load() as prog:
        info = prog_info(prog)
        same(info, bpftool("prog", "show", "id", str(info.id)))
        assert (info.btf_id, info.map_ids, info.name) == (None, (), "core_test")


def test_run_statistics(bpftool: Callable[..., Any]) -> None:
    with load() as prog, bpf_fd(enable_stats(0)):
        bpf(prog_test_run(prog, data_in=bytes(64), repeat=1000))
        info = prog_info(prog)
        same(info, bpftool("prog", "show", "id", str(info.id)))
        assert info.run_cnt
        assert info.run_time_ns


def test_listing_has_ours(bpftool: Callable[..., Any]) -> None:
    with load(ProgType.XDP) as prog:
        own = prog_info(prog)
        assert own in list(programs())
        assert own.id in [theirs["id"] for theirs in bpftool("prog", "show")]
        assert own.id in list(ids(ObjectKind.PROG))


def test_a_program_that_is_gone() -> None:
    with load() as prog:
        number = prog_info(prog).id
    with pytest.raises(NotFoundError, match=f"no program has id {number}"):
        open_id(ObjectKind.PROG, number)


def found(kind: ObjectKind, by: str, value: str) -> list[int]:
    fds = find(Selector(kind, by, value))
    try:
        return [id_of(kind, fd) for fd in fds]
    finally:
        for fd in fds:
            fd.close()


def test_find_programs(data: Path, bpffs: Path) -> None:
    with load_object(read_object(str(data / "iter_map_elem.bpf.o"))) as loaded:
        fd = loaded.programs["each_element"].fd
        pin(fd, str(bpffs / "p"))
        info = prog_info(fd)
        assert found(ObjectKind.PROG, "id", str(info.id)) == [info.id]
        assert found(ObjectKind.PROG, "pinned", str(bpffs / "p")) == [info.id]
        assert info.id in found(ObjectKind.PROG, "name", "each_element")
        assert info.id in found(ObjectKind.PROG, "tag", info.tag[:5])
        with pytest.raises(OutputError, match="a program is pinned here, not a map"):
            find(Selector(ObjectKind.MAP, "pinned", str(bpffs / "p")))


@contextmanager
def long_name(name: str) -> Iterator[Fd]:
    """Load a program whose main function has this name in its types."""
    builder = BtfBuilder()
    number = builder.add(t.Int(0, "int", 4, 1, 0, 32))
    function = builder.add(t.Func(0, name, builder.add(t.FuncProto(0, "", number, ())), 1))
    with (
        bpf_fd(btf_load(builder.build())) as types,
        bpf_fd(
            prog_load(
                prog_type=ProgType.SOCKET_FILTER,
                insns=RETURN_2,
                license="GPL",
                name=name,
                prog_btf_fd=types,
                func_info=struct.pack("II", 0, function),
                func_info_rec_size=8,
            )
        ) as prog,
    ):
        yield prog


def test_find_by_a_name_that_the_kernel_cuts(bpftool: Callable[..., Any]) -> None:
    """The kernel keeps 15 bytes; the whole name is in the program's types."""
    name = f"long_name_of_{os.getpid()}_and_more"
    with long_name(name) as prog:
        info = prog_info(prog)
        assert (info.name, info.kernel_name) == (name, name[:15])
        assert bpftool("prog", "show", "id", str(info.id))["name"] == name
        assert found(ObjectKind.PROG, "name", name) == [info.id]
        assert info.id in found(ObjectKind.PROG, "name", name[:15])
        with pytest.raises(NotFoundError):
            find(Selector(ObjectKind.PROG, "name", name[:16]))


def test_find_maps(data: Path) -> None:
    with load_object(read_object(str(data / "maps.bpf.o"))) as loaded:
        name, one = next(iter(loaded.maps.items()))
        assert id_of(ObjectKind.MAP, one.fd) in found(ObjectKind.MAP, "name", name[:15])


@pytest.mark.parametrize(
    ("kind", "by", "value"),
    [
        pytest.param(ObjectKind.PROG, "name", f"absent{os.getpid()}", id="program by name"),
        pytest.param(ObjectKind.PROG, "tag", "0123456789abcdef", id="program by tag"),
        pytest.param(ObjectKind.MAP, "name", f"absent{os.getpid()}", id="map by name"),
        pytest.param(ObjectKind.BTF, "name", "no such module", id="BTF by name"),
        pytest.param(ObjectKind.LINK, "id", "4294967295", id="link by id"),
    ],
)
def test_find_nothing(kind: ObjectKind, by: str, value: str) -> None:
    with pytest.raises(NotFoundError):
        find(Selector(kind, by, value))


@needs.VMLINUX_OBJECT
def test_the_kernels_own_types() -> None:
    number, *_ = found(ObjectKind.BTF, "name", "vmlinux")
    assert loaded_btf(number) is kernel_btf()
