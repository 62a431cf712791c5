"""What objects need, and since when there is a kernel that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.asm.insn import Insn, encode
from bpfctl.check.check import subject_of
from bpfctl.check.requires import Requirement, requirements
from bpfctl.elf.reader import read_object
from bpfctl.elf.spec import MapSpec, Reloc, RelocKind
from bpfctl.features.since_targets import MAP_FLAGS
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.uapi import MapType
from bpfctl.loader.options import LoadOptions
from tests.builders.btf import DATA
from tests.unit.check.test_check import EXIT, OFFSET, calling, core, one_program, relo
from tests.unit.loader.objects import function, object_of

if TYPE_CHECKING:
    from bpfctl.elf.spec import ObjectSpec

LOOP = Insn(0x85, imm=181)


def needs(spec: ObjectSpec, **options: Any) -> dict[str, tuple[str, bool]]:
    found = requirements(subject_of(spec, LoadOptions(**options)))
    return {one.name: (one.since, one.is_guarded) for one in found.needs}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(one_program("xdp"), {"xdp": ("4.8", False)}, id="a section"),
        pytest.param(one_program("?xdp"), {"xdp": ("4.8", True)}, id="one that nobody asked for"),
        pytest.param(
            one_program("xdp", encode([LOOP, EXIT])),
            {"xdp": ("4.8", False), "bpf_loop": ("5.17", False)}, id="a helper",
        ),
        pytest.param(
            one_program("xdp", encode([Insn(0xB7, 1), Insn(0x15, 1, off=1), LOOP, EXIT])),
            {"xdp": ("4.8", False), "bpf_loop": ("5.17", True)}, id="a helper in dead code",
        ),
        pytest.param(
            object_of(maps=(MapSpec("m", MapType.ARENA, 0, 0, 1, flags=int(MapFlags.MMAPABLE)),)),
            {"mmapable": ("5.5", False), "arena": ("6.9", False)}, id="a map",
        ),
        pytest.param(
            object_of(maps=(MapSpec(".bss", MapType.ARRAY, 4, 4, 1, section=".bss", flags=1024),)),
            {"global variables": ("5.2", False), "array": ("3.19", False)}, id="data",
        ),
        pytest.param(
            one_program("iter/bpf_link"),
            {"iter": ("5.8", False), "types of the kernel": ("5.4", False),
             "iter/bpf_link": ("5.19", False)}, id="an iterator",
        ),
        pytest.param(
            one_program("fentry/any"),
            {"fentry": ("5.5", False), "types of the kernel": ("5.4", False),
             "fentry/any": ("", False)}, id="a function",
        ),
        pytest.param(
            calling(weak=True, guarded=True),
            {"xdp": ("4.8", False), "bpf_thing": ("", True)}, id="a weak kfunc",
        ),
        pytest.param(
            core(relo(2, "0:1", OFFSET)),
            {"xdp": ("4.8", False), "types of the kernel": ("5.4", False),
             "struct thing.gone": ("", False)}, id="a member",
        ),
        pytest.param(
            one_program(
                "xdp", encode([Insn(0x85, src=1, imm=-1), EXIT]),
                Reloc(0, RelocKind.CALL, ".text:sub"),
                functions=(function(".text:sub", encode([EXIT])),),
            ),
            {"xdp": ("4.8", False), "functions that call one another": ("4.16", False)},
            id="a function of its own",
        ),
    ],
)  # fmt: skip
def test_needs(spec: ObjectSpec, expected: dict[str, tuple[str, bool]]) -> None:
    assert needs(spec) == expected


def test_what_is_asked_for_counts() -> None:
    spec = one_program("?xdp")
    assert needs(spec, programs=frozenset({"p"})) == {"xdp": ("4.8", False)}
    assert needs(one_program("xdp"), skip=frozenset({"p"})) == {"xdp": ("4.8", True)}


def test_the_youngest_decides() -> None:
    found = requirements(subject_of(one_program("fentry/any", encode([LOOP, EXIT]))))
    assert found.minimum == "5.17"
    assert found.reasons == [Requirement("helper", "bpf_loop", "5.17", programs=("p",))]
    assert [one.name for one in found.undated] == ["fentry/any"]
    assert found.to_json()["reasons"] == ["helper bpf_loop"]


def test_nothing_is_known() -> None:
    found = requirements(subject_of(one_program("?xdp")))
    assert (found.minimum, found.to_json()["reasons"]) == ("", [])


@pytest.mark.parametrize(
    ("name", "minimum"),
    [
        ("arena", "6.9"),
        ("exceptions", "6.7"),
        ("ksyms", "6.2"),
        ("struct_ops_link", "6.4"),
        ("iter_task", "5.8"),
    ],
)
def test_real_objects(name: str, minimum: str) -> None:
    spec = read_object(str(DATA / f"{name}.bpf.o"))
    assert requirements(subject_of(spec)).minimum == minimum


def test_what_bpfctl_provides_itself_is_no_need() -> None:
    """Of .kconfig: the version, and what a probe tells."""
    found = requirements(subject_of(read_object(str(DATA / "kconfig.bpf.o"))))
    names = {one.name for one in found.needs if one.kind == "kconfig"}
    assert "CONFIG_HZ" in names
    assert not any(one.startswith("LINUX_") for one in names)


def test_exceptions_are_needed_once() -> None:
    found = requirements(subject_of(read_object(str(DATA / "exceptions.bpf.o"))))
    (one,) = (one for one in found.needs if one.name == "exceptions")
    assert (one.kind, one.since, one.is_guarded) == ("instruction", "6.7", False)


def test_every_flag_of_a_definition_has_a_version() -> None:
    later = {MapFlags.PATH_FD, MapFlags.VTYPE_BTF_OBJ_FD, MapFlags.TOKEN_FD}
    assert set(MAP_FLAGS) | later == set(MapFlags)
