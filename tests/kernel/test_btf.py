"""The running kernel's type information, as bpftool reads it; and ours, as the kernel takes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.sanitize import SINCE, sanitize
from bpfctl.errors import SyscallError
from bpfctl.kernel.attr_prog import btf_load
from bpfctl.kernel.bpf import bpf_fd
from tests.builders.btf import build
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Callable

VMLINUX = Path("/sys/kernel/btf/vmlinux")
ENCODINGS = {0: "(none)", 1: "SIGNED", 2: "CHAR", 4: "BOOL"}
LINKAGES = {0: "static", 1: "global", 2: "extern"}


@pytest.fixture(scope="module")
def vmlinux() -> Btf:
    return Btf.parse(VMLINUX.read_bytes(), path=str(VMLINUX))


def as_bpftool(found: t.Type) -> dict[str, Any]:
    """Write a type the way `bpftool -j btf dump` does."""
    return {"id": found.id, "kind": found.kind.name, "name": found.name or "(anon)", **rest(found)}


def rest(found: t.Type) -> dict[str, Any]:
    match found:
        case t.Int():
            encoding = ENCODINGS[found.encoding]
            numbers = {"bits_offset": found.offset_bits, "nr_bits": found.bits}
            return {"size": found.size_bytes, **numbers, "encoding": encoding}
        case t.Array():
            ids = {"type_id": found.elem_type_id, "index_type_id": found.index_type_id}
            return {**ids, "nr_elems": found.nelems}
        case t.Struct():
            members = [member(one) for one in found.members]
            return {"size": found.size_bytes, "vlen": len(members), "members": members}
        case t.Enum():
            values = [{"name": one.name, "val": one.value} for one in found.values]
            sign = "SIGNED" if found.signed else "UNSIGNED"
            numbers = {"size": found.size_bytes, "vlen": len(values)}
            return {"encoding": sign, **numbers, "values": values}
        case t.FuncProto():
            pairs = [(one.name or "(anon)", one.type_id) for one in found.params]
            params = [{"name": name, "type_id": type_id} for name, type_id in pairs]
            return {"ret_type_id": found.return_type_id, "vlen": len(params), "params": params}
        case t.Datasec():
            places = [(one.type_id, one.offset, one.size_bytes) for one in found.vars]
            sections = [dict(zip(("type_id", "offset", "size"), p, strict=True)) for p in places]
            return {"size": found.size_bytes, "vlen": len(sections), "vars": sections}
        case _:
            return small_rest(found)


def small_rest(found: t.Type) -> dict[str, Any]:
    match found:
        case t.Fwd():
            return {"fwd_kind": "union" if found.is_union else "struct"}
        case t.Func():
            return {"type_id": found.proto_id, "linkage": LINKAGES[found.linkage]}
        case t.Var():
            return {"type_id": found.type_id, "linkage": LINKAGES[found.linkage]}
        case t.DeclTag():
            return {"type_id": found.type_id, "component_idx": found.component_idx}
        case t.Float():
            return {"size": found.size_bytes}
        case t.Ptr() | t.Modifier():
            return {"type_id": found.type_id}
        case _:
            raise AssertionError(found)


def member(one: t.Member) -> dict[str, Any]:
    place = {"type_id": one.type_id, "bits_offset": one.offset_bits}
    bits = {"bitfield_size": one.bitfield_bits} if one.bitfield_bits else {}
    return {"name": one.name or "(anon)", **place, **bits}


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


def test_all_types_are_what_bpftool_reads(vmlinux: Btf, bpftool: Callable[..., Any]) -> None:
    theirs = dumped(bpftool, VMLINUX)
    assert len(theirs) == len(vmlinux) - 1
    for ours, expected in zip(vmlinux.types(), theirs, strict=True):
        assert as_bpftool(ours) == expected


def test_the_sample_is_what_bpftool_reads(tmp_path: Path, bpftool: Callable[..., Any]) -> None:
    file = tmp_path / "sample.btf"
    file.write_bytes(build())
    theirs = dumped(bpftool, file)
    assert [as_bpftool(ours) for ours in Btf.parse(build()).types()] == theirs


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
@pytest.mark.parametrize("first", range(len(SINCE) + 1), ids=[*SINCE, "nothing"])
def test_the_kernel_takes_what_we_write(first: int) -> None:
    """A kernel that lacks a kind lacks all that came later, as SINCE lists them."""
    assert load_into_kernel(sanitize(build(VALID), frozenset([*SINCE][first:]))) == ""


def test_any_kernel_takes_what_is_sanitised_for_the_oldest() -> None:
    assert load_into_kernel(sanitize(build(VALID), frozenset(SINCE))) == ""


def test_the_kernel_refuses_what_is_broken() -> None:
    assert load_into_kernel(build((t.Ptr(1, "", 0), t.Int(2, "x", 3, 0, 0, 99)))) != ""
