"""The running kernel's type information, as bpftool reads it; and ours, as the kernel takes it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.history import HISTORY, missing_before
from bpfctl.btf.raw import to_json, to_text
from bpfctl.btf.sanitize import sanitize, sanitized
from bpfctl.errors import SyscallError
from bpfctl.kernel.attr_prog import btf_load
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.linux.version import kernel_version
from bpfctl.loader.btf_kinds import PROBES, missing_kinds
from tests.builders.btf import build
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Callable

VMLINUX = Path("/sys/kernel/btf/vmlinux")


@pytest.fixture(scope="module")
def vmlinux() -> Btf:
    return Btf.parse(VMLINUX.read_bytes(), path=str(VMLINUX))


def dumped(bpftool: Callable[..., Any], path: Path) -> list[dict[str, Any]]:
    """Have bpftool dump a blob.

    Its JSON (7.1) widens unsigned 32-bit values as if they had a sign; its plain output does not.
    """
    types: list[dict[str, Any]] = bpftool("btf", "dump", "file", str(path))["types"]
    for one in types:
        if one["kind"] == "ENUM" and one["encoding"] == "UNSIGNED":
            for value in one["values"]:
                value["val"] %= 2**32
    return types


@pytest.mark.shared
def test_all_types_are_what_bpftool_reads(vmlinux: Btf, bpftool: Callable[..., Any]) -> None:
    theirs = dumped(bpftool, VMLINUX)
    assert len(theirs) == len(vmlinux) - 1
    for ours, expected in zip(vmlinux.types(), theirs, strict=True):
        assert to_json(ours) == expected


def test_the_plain_text_is_bpftools(tmp_path: Path) -> None:
    file = tmp_path / "sample.btf"
    file.write_bytes(build())
    words = ["bpftool", "btf", "dump", "file", str(file), "format", "raw"]
    theirs = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    sample = Btf.parse(build())
    assert "".join(to_text(sample, one) for one in sample.types()) == theirs


def test_the_sample_is_what_bpftool_reads(tmp_path: Path, bpftool: Callable[..., Any]) -> None:
    file = tmp_path / "sample.btf"
    file.write_bytes(build())
    theirs = dumped(bpftool, file)
    assert [to_json(ours) for ours in Btf.parse(build()).types()] == theirs


@pytest.mark.shared
def test_round_trip(vmlinux: Btf) -> None:
    builder = BtfBuilder()
    builder.add_all(vmlinux.types())
    assert all(
        old == new
        for old, new in zip(vmlinux.types(), Btf.parse(builder.build()).types(), strict=True)
    )


@pytest.mark.parametrize("name", ["task_struct", "file", "list_head", "sk_buff", "no_such_struct"])
def test_look_ups_agree_with_a_walk(vmlinux: Btf, name: str) -> None:
    ids = [i for i in range(1, len(vmlinux)) if vmlinux.name(i) == name]
    assert vmlinux.find_all(name) == ids
    structs = [i for i in ids if vmlinux.kind_number(i) == t.Kind.STRUCT]
    assert vmlinux.find(name, t.Kind.STRUCT) == (structs[0] if structs else None)


def test_facts_of_the_kernel(vmlinux: Btf) -> None:
    task = vmlinux.find("task_struct", t.Kind.STRUCT)
    assert task is not None
    pid = vmlinux.member(task, "pid")
    assert pid is not None
    assert vmlinux.type_name(pid.type_id) == "pid_t"
    assert (vmlinux.size_of(pid.type_id), vmlinux.is_signed(pid.type_id)) == (4, True)
    assert vmlinux.size_of(task) > 1000
    put = vmlinux.find("bpf_prog_put", t.Kind.FUNC)
    assert put is not None
    assert vmlinux.type_name(put) == "void bpf_prog_put(struct bpf_prog *)"


# Every kind, each in a way that the kernel accepts.
VALID: tuple[t.Type, ...] = (
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Float(2, "double", 8),
    t.Array(3, "", 1, 1, 5),
    t.Struct(4, "pair", 32, (t.Member("a", 1, 0), t.Member("b", 2, 64), t.Member("c", 8, 128))),
    t.Ptr(5, "", 4),
    t.TypeTag(6, "user", 4),
    t.Ptr(7, "", 6),
    t.Enum(8, "big", 8, False, (t.EnumValue("ALL", 2**64 - 1),), is64=True),
    t.Enum(9, "sign", 4, True, (t.EnumValue("MINUS", -1),)),
    t.FuncProto(10, "", 1, (t.Param("p", 7),)),
    t.Func(11, "act", 10, t.FuncLinkage.GLOBAL),
    t.Var(12, "pairs", 4, t.VarLinkage.GLOBAL_ALLOCATED),
    t.Datasec(13, ".data.x", 32, (t.VarSecinfo(12, 0, 32),)),
    t.DeclTag(14, "arg", 11, 0),
    t.FuncProto(15, "", 0, (t.Param("", 1),)),
    t.Ptr(16, "", 15),
)


def load_into_kernel(data: bytes) -> str:
    """Have the kernel check a blob; give the reason it refuses it, or ""."""
    log = bytearray(65536)
    try:
        bpf_fd(btf_load(data, log_level=1, log_buf=log, doing="test type information")).close()
    except SyscallError as err:
        return f"{err.errno_name}: {log.split(bytes(1))[0].decode()}"
    return ""


@needs.ENUM64
@pytest.mark.parametrize("first", range(len(HISTORY) + 1), ids=[*HISTORY, "nothing"])
def test_the_kernel_takes_what_we_write(first: int) -> None:
    """A kernel that lacks a kind lacks all that came later, as HISTORY lists them."""
    assert load_into_kernel(sanitize(build(VALID), frozenset([*HISTORY][first:]))) == ""


def test_any_kernel_takes_what_is_sanitised_for_the_oldest() -> None:
    assert load_into_kernel(sanitize(build(VALID), frozenset(HISTORY))) == ""


def test_the_kernel_refuses_what_is_broken() -> None:
    assert load_into_kernel(build((t.Ptr(1, "", 0), t.Int(2, "x", 3, 0, 0, 99)))) != ""


def test_the_kernel_lacks_what_the_table_says() -> None:
    """Of each kind in HISTORY that can be asked for."""
    missing = missing_before(".".join(map(str, kernel_version()[:2])))
    assert missing_kinds() == missing & PROBES.keys()


@pytest.mark.parametrize("version", ["5.4", "5.10", "5.15"])
def test_types_of_a_newer_kernel(version: str, data: Path, tmp_path: Path) -> None:
    """Those of Linux 7.3: a kernel takes them as those of its time, and bpftool reads the same."""
    newer = Btf.parse((data / "uapi-7.3.btf").read_bytes())
    done = sanitized(newer, missing_before(version))
    assert done.replaced
    if kernel_version()[:2] >= tuple(map(int, version.split("."))):
        assert load_into_kernel(done.data) == ""
    path = tmp_path / "old.btf"
    path.write_bytes(done.data)
    text = subprocess.run(
        ["bpftool", "btf", "dump", "file", str(path)], check=True, capture_output=True, text=True
    ).stdout
    assert text == "".join(to_text(newer, one) for one in Btf.parse(done.data).types())
