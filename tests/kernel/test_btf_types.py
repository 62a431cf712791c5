"""`btf show NAME` on the types of the real kernel, against bpftool's reading of them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.diff import diff
from bpfctl.btf.members import inside
from bpfctl.objects.btf import kernel_btf, module_btfs
from bpfctl.objects.btf_find import types_called
from bpfctl.objects.btf_source import raw_btf
from tests.cli.runner import as_program
from tests.kernel import needs

if TYPE_CHECKING:
    from pathlib import Path

VMLINUX = "/sys/kernel/btf/vmlinux"
EVERY = 29  # structs are many; these are spread over all


@pytest.mark.shared
def test_members_are_where_bpftool_sees_them() -> None:
    words = ["bpftool", "-j", "btf", "dump", "file", VMLINUX]
    text = subprocess.run(words, capture_output=True, check=True).stdout
    theirs: dict[int, dict[str, Any]] = {one["id"]: one for one in json.loads(text)["types"]}
    btf = kernel_btf()
    compared = 0
    for type_id in btf.ids((t.Kind.STRUCT, t.Kind.UNION))[::EVERY]:
        struct = btf.type(type_id)
        assert isinstance(struct, t.Struct)
        ours = inside(btf, struct).to_json()["members"]
        assert [same(one) for one in ours] == [same(one) for one in theirs[type_id]["members"]]
        compared += len(ours)
    assert compared > 1000


def same(member: dict[str, Any]) -> list[Any]:
    return [member.get(key) for key in ("name", "type_id", "bits_offset", "bitfield_size")]


@pytest.mark.shared
def test_holes_and_members_make_up_the_whole() -> None:
    """In each struct without bit-fields and with members in order."""
    btf = kernel_btf()
    checked = 0
    for type_id in btf.ids((t.Kind.STRUCT,))[::EVERY]:
        struct = btf.type(type_id)
        assert isinstance(struct, t.Struct)
        found = inside(btf, struct)
        places = [one.offset_bits for one in found.fields]
        if places == sorted(places) and not any(one.bitfield_bits for one in found.fields):
            sizes = sum(8 * one.size_bytes + one.hole_bits for one in found.fields)
            assert sizes + found.padding_bits == 8 * struct.size_bytes
            checked += 1
    assert checked > 100


def test_a_struct_of_the_kernel() -> None:
    done = as_program("btf", "show", "struct", "list_head")
    assert (done.status, done.err) == (0, "")
    first, second, third, last = done.out.splitlines()
    assert first == "struct list_head {"
    assert second.split() == ["struct", "list_head", "*next;", "/*", "0", "8", "*/"]
    assert third.split() == ["struct", "list_head", "*prev;", "/*", "8", "8", "*/"]
    assert last.startswith("}; /* 16 bytes, 2 members, type ")
    assert last.endswith(" of vmlinux */")


@needs.MODULE_TYPES
def test_a_type_of_a_module() -> None:
    """What the kernel itself lacks is found in the module that has it."""
    base = kernel_btf()
    for _, _, btf in module_btfs(base):
        for type_id in btf.ids((t.Kind.STRUCT,)):
            called = btf.name(type_id)
            if called and not base.find_all(called, (t.Kind.STRUCT, t.Kind.FWD)):
                (found, *_) = types_called(called, "struct")
                assert found.name == called
                assert found.origin != "vmlinux"
                assert f"of {found.origin} */" in as_program("btf", "show", "struct", called).out
                return
    pytest.fail("no module has a struct of its own")


@pytest.mark.shared
def test_the_kernel_differs_from_nothing_but_what_it_lacks(data: Path) -> None:
    """Its own types are the same as themselves, and an object's are compared with them by name."""
    assert list(diff(kernel_btf(), kernel_btf(), "task_*")) == []
    ours = Btf.parse(raw_btf(str(data / "core.bpf.o")))
    (found,) = (one for one in diff(ours, kernel_btf(), "list_head") if one.kind == "struct")
    assert (found.old, found.new and found.new.size_bytes) == (None, 16)
