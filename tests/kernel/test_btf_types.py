"""`btf show NAME` on the types of the real kernel, against bpftool's reading of them."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.diff import diff
from bpfctl.btf.members import inside
from bpfctl.objects.btf import kernel_btf
from bpfctl.objects.btf_find import types_called
from bpfctl.objects.btf_source import kernel_with_modules, module_files, raw_btf
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
    name, btf = own_struct()
    (found, *_) = types_called(name, "struct")
    assert found.name == name
    assert found.origin in modules()
    done = as_program("btf", "show", "struct", name)
    assert (done.status, f"of {found.origin} */" in done.out) == (0, True)
    assert btf.find(name, t.Kind.STRUCT) is not None


@needs.MODULE_TYPES
@pytest.mark.shared
def test_the_kernel_with_all_modules() -> None:
    """Every type of every module is there, and none twice."""
    name, _ = own_struct()
    base = kernel_btf()
    whole = kernel_with_modules()
    assert [whole.type(i) for i in range(1, len(base), EVERY)] == [
        base.type(i) for i in range(1, len(base), EVERY)
    ]
    for module, btf in modules().items():
        for type_id in btf.ids((t.Kind.STRUCT, t.Kind.FUNC, t.Kind.ENUM, t.Kind.TYPEDEF)):
            called, kind = btf.name(type_id), btf.type(type_id).kind
            assert not called or whole.find(called, kind), (module, called)
    own = [whole.type(i) for i in range(len(base), len(whole))]
    assert len({bare(one) for one in own}) == len(own)
    done = as_program("btf", "dump", "kernel", "modules", "format", "c")
    assert (done.status, done.err) == (0, "")
    assert f"\nstruct {name} {{\n" in done.out
    defined = re.findall(r"^(?:struct|union|enum) (\w+) \{", done.out, re.MULTILINE)
    assert len(set(defined)) == len(defined)


def modules() -> dict[str, Btf]:
    return dict(module_files(kernel_btf()))


def own_struct() -> tuple[str, Btf]:
    """Return a struct that the kernel itself does not have, and the types of a module that does."""
    base = kernel_btf()
    for btf in modules().values():
        for type_id in btf.ids((t.Kind.STRUCT,)):
            name = btf.name(type_id)
            if name and not base.find_all(name, (t.Kind.STRUCT, t.Kind.UNION, t.Kind.FWD)):
                return name, btf
    pytest.fail("no module has a struct of its own")


def bare(one: t.Type) -> t.Type:
    """A type without its id. Two anonymous enums or the like differ in what they are in."""
    return type(one)(**{name: getattr(one, name) for name in one.__match_args__} | {"id": 0})


@pytest.mark.shared
def test_the_kernel_differs_from_nothing_but_what_it_lacks(data: Path) -> None:
    """Its own types are the same as themselves, and an object's are compared with them by name."""
    assert list(diff(kernel_btf(), kernel_btf(), "task_*")) == []
    ours = Btf.parse(raw_btf(str(data / "core.bpf.o")))
    (found,) = (one for one in diff(ours, kernel_btf(), "list_head") if one.kind == "struct")
    assert (found.old, found.new and found.new.size_bytes) == (None, 16)
