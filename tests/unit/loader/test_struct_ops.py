"""Struct_ops fitted to kernels made by hand."""

from __future__ import annotations

import errno
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import MapSpec, ObjectSpec, ProgramSpec, StructOpsSpec
from bpfctl.errors import NotFoundError, NotSupportedError, ObjectFileError, SyscallError
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import AttachType, Cmd, MapType
from bpfctl.loader.kernel_btf import ModuleBtf
from bpfctl.loader.loaded import LoadedMap, LoadedObject, LoadedProgram
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.struct_ops import KernelOps, Slot, Use, kernel_ops, uses, with_members
from bpfctl.loader.struct_ops_load import create_ops_map, register
from bpfctl.loader.verifier import Log
from tests.builders.btf import parsed
from tests.fakes.kernel import FakeKernel, memory
from tests.unit.loader.objects import EXIT, function, object_of

if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf

LINK, VTYPE_FD = 1 << 13, 1 << 15
# The first types of all blobs: int, char, char[8], `int ()`, pointer to it, pointer to int.
BASE: tuple[t.Type, ...] = (
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Int(2, "char", 1, t.IntEncoding.SIGNED, 0, 8),
    t.Array(3, "", 2, 1, 8),
    t.FuncProto(4, "", 1, ()),
    t.Ptr(5, "", 4),
    t.Ptr(6, "", 1),
)
INT, CHAR, TEXT, FUNCTION, POINTER = 1, 2, 3, 5, 6


def ops(type_id: int, name: str, size: int, *members: t.Member) -> t.Struct:
    return t.Struct(type_id, name, size, members)


# The kernel's: struct { int (*first)(); char name[8]; int number; int (*second)(); } at byte 8.
KERNEL_OPS = ops(
    7,
    "my_ops",
    32,
    t.Member("first", FUNCTION, 0),
    t.Member("name", TEXT, 64),
    t.Member("number", INT, 128),
    t.Member("second", FUNCTION, 192),
)
VALUE = ops(8, "bpf_struct_ops_my_ops", 40, t.Member("common", INT, 0), t.Member("data", 7, 64))
VMLINUX = parsed(*BASE, KERNEL_OPS, VALUE)
PLAIN = parsed(*BASE)
MODULE = ModuleBtf("mod", 77, parsed(KERNEL_OPS, VALUE, base=PLAIN))


class Kernel:
    def __init__(self, btf: Btf, *modules: ModuleBtf) -> None:
        self.btf = btf
        self.modules = modules


def implementation(
    *members: t.Member,
    data: bytes = b"",
    size: int = 32,
    programs: tuple[tuple[str, str], ...] = (),
    struct_name: str = "my_ops",
    optional: bool = False,
) -> ObjectSpec:
    """An object with one implementation, and programs for its members and one more."""
    names = sorted({name for _, name in programs} | {"stray"})
    functions = [function(f"struct_ops/{name}:{name}", EXIT) for name in names]
    value = StructOpsSpec(7, data.ljust(size, b"\0"), programs, optional)
    return object_of(
        *functions,
        programs=tuple(
            ProgramSpec(one.name, parse_section_name("struct_ops"), one.key) for one in functions
        ),
        maps=(MapSpec("mine", MapType.STRUCT_OPS, 4, size, 1, struct_ops=value),),
        btf=parsed(*BASE, ops(7, struct_name, size, *members)),
    )


def fitted(spec: ObjectSpec, *kernel: Any) -> KernelOps:
    made: Any = Kernel(*kernel) if kernel else Kernel(VMLINUX)
    return kernel_ops(spec, made)["mine"]


def test_members_go_where_the_kernel_has_them() -> None:
    spec = implementation(
        t.Member("number", INT, 0),
        t.Member("second", FUNCTION, 64),
        t.Member("name", TEXT, 128),
        data=b"\x2a\0\0\0" + bytes(12) + b"hello",
        programs=(("second", "twice"),),
        struct_name="my_ops___old",
    )
    assert fitted(spec) == KernelOps(
        "my_ops",
        7,
        8,
        None,
        bytes(8) + bytes(8) + b"hello\0\0\0" + b"\x2a" + bytes(15),
        (Slot("twice", 32, 3),),
        (),
    )


def test_a_struct_of_a_module() -> None:
    spec = implementation(t.Member("first", FUNCTION, 0), programs=(("first", "once"),))
    found = fitted(spec, PLAIN, MODULE)
    assert (found.module, found.slots) == (MODULE, (Slot("once", 8, 0),))


def test_what_the_kernel_does_not_have_may_say_nothing() -> None:
    spec = implementation(
        t.Member("newer", INT, 0),
        t.Member("function", FUNCTION, 64),
        t.Member("bits", INT, 128, 3),
        programs=(("function", "unused"),),
    )
    found = fitted(spec)
    assert (found.slots, found.lacking, found.data) == ((), ("unused",), bytes(40))


@pytest.mark.parametrize(
    ("member", "data", "programs", "words"),
    [
        pytest.param(
            t.Member("newer", INT, 0), b"\1", (), "is set, and struct my_ops here has none",
            id="new",
        ),
        pytest.param(
            t.Member("number", TEXT, 0), b"\1", (), r"is char \[8\], and int in this kernel",
            id="kind",
        ),
        pytest.param(
            t.Member("number", CHAR, 0), b"\1", (), "is char, and int in this kernel", id="size"
        ),
        pytest.param(
            t.Member("number", INT, 0, 3), b"\1", (), "is a bit-field, which cannot be set",
            id="bits",
        ),
        pytest.param(
            t.Member("first", FUNCTION, 0), b"\1", (), r"is int \(\*\)\(.*\), and", id="address"
        ),
        pytest.param(
            t.Member("number", FUNCTION, 0), b"", (("number", "once"),),
            "is once, and no function of this kernel's struct", id="no function",
        ),
    ],
)  # fmt: skip
def test_members_that_do_not_fit(
    member: t.Member, data: bytes, programs: tuple[tuple[str, str], ...], words: str
) -> None:
    with pytest.raises(ObjectFileError, match=f"struct_ops mine: member {member.name} {words}"):
        fitted(implementation(member, data=data, programs=programs))


@pytest.mark.parametrize(
    "btf",
    [
        pytest.param(PLAIN, id="neither struct"),
        pytest.param(parsed(*BASE, KERNEL_OPS), id="no value"),
        pytest.param(
            parsed(
                *BASE, KERNEL_OPS, ops(8, "bpf_struct_ops_my_ops", 8, t.Member("common", INT, 0))
            ),
            id="a value without it",
        ),
    ],
)
def test_a_kernel_without_the_struct(btf: Btf) -> None:
    with pytest.raises(NotSupportedError, match="does not support struct_ops my_ops"):
        fitted(implementation(), btf)


# --- programs


def two_maps(second: tuple[tuple[str, str], ...], *, optional: bool = False) -> ObjectSpec:
    """Implementations `mine` (first: once) and `more`."""
    members = (t.Member("first", FUNCTION, 0), t.Member("second", FUNCTION, 64))
    programs = (("first", "once"),)
    spec = implementation(*members, programs=(*programs, *second))
    (one,) = spec.maps
    assert one.struct_ops is not None
    mine = replace(one, struct_ops=replace(one.struct_ops, programs=programs))
    more = replace(
        one, name="more", struct_ops=replace(one.struct_ops, programs=second, optional=optional)
    )
    return replace(spec, maps=(mine, more))


def members_of(spec: ObjectSpec, options: LoadOptions, *chosen: str) -> list[str]:
    kernel: Any = Kernel(VMLINUX)
    programs = [one for one in spec.programs if one.name in chosen]
    return [one.name for one in with_members(spec, kernel_ops(spec, kernel), programs, options)]


@pytest.mark.parametrize(
    ("spec", "options", "names"),
    [
        pytest.param(two_maps((("second", "b"),)), LoadOptions(), ["b", "once", "stray"], id="all"),
        pytest.param(
            two_maps((("second", "b"),), optional=True), LoadOptions(), ["once", "stray"],
            id="not those of a map that is not made",
        ),
        pytest.param(
            two_maps((("first", "once"),), optional=True), LoadOptions(), ["once", "stray"],
            id="shared with one that is made",
        ),
        pytest.param(
            two_maps((("second", "b"),)), LoadOptions(skip=frozenset({"b"})), ["once", "stray"],
            id="not one that is left out",
        ),
        pytest.param(
            two_maps((("second", "b"),)), LoadOptions(programs=frozenset({"stray"})), ["stray"],
            id="only what was asked for",
        ),
    ],
)  # fmt: skip
def test_members_load_with_their_maps(
    spec: ObjectSpec, options: LoadOptions, names: list[str]
) -> None:
    assert members_of(spec, options, "stray") == names


def test_a_member_that_is_not_used_cannot_be_asked_for() -> None:
    spec = two_maps((("second", "b"),), optional=True)
    with pytest.raises(NotFoundError, match="struct_ops more is not made by itself") as raised:
        members_of(spec, LoadOptions(programs=frozenset({"b"})), "b")
    assert raised.value.program == "b"


def test_a_program_implements_one_member() -> None:
    kernel: Any = Kernel(VMLINUX)
    shared, torn = two_maps((("first", "once"),)), two_maps((("second", "once"),))
    assert uses(shared, kernel_ops(shared, kernel)) == {"once": Use(7, 0, None)}
    with pytest.raises(ObjectFileError, match="once is used for two different members"):
        uses(torn, kernel_ops(torn, kernel))


# --- in the kernel


def made_ops(module: ModuleBtf | None = None) -> KernelOps:
    slots = (Slot("once", 8, 0), Slot("unloaded", 32, 3))
    return KernelOps("my_ops", 7, 8, module, b"\5" + bytes(39), slots, ())


@pytest.mark.parametrize(
    ("module", "flags"), [(None, LINK), (MODULE, LINK | VTYPE_FD)], ids=["vmlinux", "module"]
)
def test_the_map_that_is_asked_for(module: ModuleBtf | None, flags: int) -> None:
    spec = MapSpec("mine", MapType.STRUCT_OPS, 4, 32, 1, flags=LINK)
    kernel = FakeKernel()
    kernel.on(Cmd.BTF_GET_FD_BY_ID, kernel.new_fd).on(Cmd.MAP_CREATE, kernel.new_fd)
    with kernel, create_ops_map(spec, made_ops(module), 5):
        attr = kernel.calls[-1].attr
    assert (attr.map_type, attr.value_size, attr.map_flags) == (MapType.STRUCT_OPS, 40, flags)
    assert (attr.btf_fd, attr.btf_vmlinux_value_type_id) == (5, 8)
    assert bool(attr.value_type_btf_obj_fd) == (module is not None)
    assert len(kernel.calls) == (2 if module else 1)


def loaded(kernel: FakeKernel, flags: int) -> LoadedObject:
    spec = implementation(programs=(("first", "once"),))
    made = LoadedObject(spec)
    entry = replace(spec.maps[0], flags=flags)
    made.maps["mine"] = LoadedMap(entry, made.resources.enter_context(Fd(kernel.fd())))
    program = next(one for one in spec.programs if one.name == "once")
    fd = made.resources.enter_context(Fd(kernel.fd()))
    made.programs["once"] = LoadedProgram(program, fd, Log())
    made.struct_ops["mine"] = made_ops()
    return made


class Stored:
    """Keeps the value that is stored; answers as told."""

    def __init__(self, answer: int = 0) -> None:
        self.answer = answer
        self.value = b""

    def __call__(self, union: Any, size: int) -> int:
        del size
        self.value = bytes(memory(int(union.value), 40))
        return self.answer


def test_registering_stores_descriptors() -> None:
    kernel, stored = FakeKernel(), Stored()
    with kernel.on(Cmd.MAP_UPDATE_ELEM, stored), loaded(kernel, 0) as made:
        found = register(made, "mine")
        program = made.programs["once"].fd.fileno()
        assert (found.name, found.kernel_struct, found.link) == ("mine", "my_ops", None)
    assert stored.value == b"\5" + bytes(7) + struct.pack("<Q", program) + bytes(24)


@pytest.mark.parametrize("answer", [0, -errno.EBUSY], ids=["first", "again"])
def test_registering_by_a_link(answer: int) -> None:
    kernel = FakeKernel()
    kernel.on(Cmd.MAP_UPDATE_ELEM, Stored(answer)).on(Cmd.LINK_CREATE, kernel.new_fd)
    with kernel, loaded(kernel, LINK) as made:
        link = register(made, "mine").link
        asked = kernel.calls[-1].attr.link_create
        assert (asked.prog_fd, asked.attach_type) == (
            made.maps["mine"].fd.fileno(),
            AttachType.STRUCT_OPS,
        )
    assert link is not None
    link.close()


@pytest.mark.parametrize(
    ("number", "candidate"),
    [
        (errno.EEXIST, "a my_ops of the same name is registered already"),
        (errno.EINVAL, "a member that every my_ops must have is missing or wrong"),
        (errno.EBUSY, "this kernel takes one my_ops at a time, and has one"),
        (errno.EPERM, None),
    ],
)
@pytest.mark.parametrize("by_link", [False, True], ids=["value", "link"])
def test_refusals_come_with_candidates(number: int, candidate: str | None, by_link: bool) -> None:
    kernel = FakeKernel()
    kernel.on(Cmd.MAP_UPDATE_ELEM, 0 if by_link else -number).on(Cmd.LINK_CREATE, -number)
    with kernel, loaded(kernel, LINK if by_link else 0) as made, pytest.raises(SyscallError) as e:
        register(made, "mine")
    assert e.value.candidates == ([candidate] if candidate else [])
    assert e.value.doing == "register struct_ops mine"
