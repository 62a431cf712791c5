from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.core_fixup import CoreFixup, CoreKind
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import ExternSpec, ObjectSpec, ProgramSpec, Reloc, RelocKind
from bpfctl.errors import NotYetError, RelocationError, VerifierError
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.linux.version import kernel_version_code
from bpfctl.loader.core import FittedCode
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.prepare import Prepared, locate_failure, prepare, request
from bpfctl.loader.support import chosen_programs, refuse_unknown
from tests.unit.loader.objects import EXIT, call, function, object_of

if TYPE_CHECKING:
    from bpfctl.loader.verifier import ProgLoad

NO_KERNEL = KernelBtf("/nonexistent")
SLEEPABLE, FRAGS = 1 << 4, 1 << 5


def one_program(section: str, **more: object) -> ObjectSpec:
    main = function(f"{section}:main", EXIT)
    program = ProgramSpec("main", parse_section_name(section), main.key)
    return object_of(main, programs=(program,), **more)


def asked(spec: ObjectSpec) -> ProgLoad:
    prepared = prepare(spec, spec.programs[0], FittedCode(None, NO_KERNEL), NO_KERNEL)
    return request(spec, prepared, {}, 0)


@pytest.mark.parametrize(
    ("section", "prog_type", "attach_type", "flags"),
    [
        ("xdp", ProgType.XDP, AttachType.XDP, 0),
        ("xdp.frags", ProgType.XDP, AttachType.XDP, FRAGS),
        ("xdp.frags/devmap", ProgType.XDP, AttachType.XDP_DEVMAP, FRAGS),
        ("uprobe.s", ProgType.KPROBE, 0, SLEEPABLE),
        ("cgroup/connect4", ProgType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_CONNECT, 0),
        ("user", ProgType.RAW_TRACEPOINT, 0, 0),
        ("socket", ProgType.SOCKET_FILTER, 0, 0),
    ],
)
def test_a_section_decides_what_is_asked_for(
    section: str, prog_type: ProgType, attach_type: int, flags: int
) -> None:
    found = asked(one_program(section))
    assert (found.prog_type, found.expected_attach_type, found.prog_flags) == (
        prog_type,
        attach_type,
        flags,
    )


@pytest.mark.parametrize(
    ("section", "stated", "wanted"),
    [
        pytest.param("kprobe/do_x", 0, kernel_version_code(), id="kprobe"),
        pytest.param("kprobe/do_x", 0x50A00, 0x50A00, id="kprobe for one kernel"),
        pytest.param("xdp", 0x50A00, 0, id="no kprobe"),
    ],
)
def test_only_kprobes_name_the_kernel(section: str, stated: int, wanted: int) -> None:
    assert asked(one_program(section, kernel_version=stated)).kern_version == wanted


def test_license_and_name_go_along() -> None:
    found = asked(one_program("xdp", license="Dual BSD/GPL"))
    assert (found.license, found.name, found.insns) == ("Dual BSD/GPL", "main", EXIT)


def test_an_extern_stops_only_programs_that_use_it() -> None:
    helper = function(".text:helper", EXIT, Reloc(0, RelocKind.EXTERN, "thing"))
    user = function("xdp:user", EXIT, call(0, ".text:helper"))
    other = function("tc:other", EXIT)
    section = parse_section_name
    spec = object_of(
        helper,
        user,
        other,
        programs=(
            ProgramSpec("user", section("xdp"), user.key),
            ProgramSpec("other", section("tc"), other.key),
        ),
        externs=(ExternSpec("thing", "ksym", is_weak=True),),
    )
    refuse_unknown(spec, chosen_programs(spec, LoadOptions(programs=frozenset({"other"}))))
    with pytest.raises(NotYetError, match=r"extern thing \(weak ksym\)") as raised:
        refuse_unknown(spec, chosen_programs(spec, LoadOptions()))
    assert raised.value.program == "user"


def test_constructs_the_reader_names_are_refused() -> None:
    with pytest.raises(NotYetError, match="arena section"):
        refuse_unknown(one_program("xdp", unsupported=("arena section",)), [])


def test_core_relocations_want_types() -> None:
    from bpfctl.btf.ext import CoreRelo

    main = function("xdp:main", EXIT, core_relos=(CoreRelo(0, 1, "0:0", 0),))
    with pytest.raises(RelocationError, match="without type information") as raised:
        FittedCode(None, NO_KERNEL).code(main)
    assert raised.value.program == "main"


def test_a_poisoned_instruction_names_the_access() -> None:
    spec = one_program("xdp")
    ready = prepare(spec, spec.programs[0], FittedCode(None, NO_KERNEL), NO_KERNEL)
    fixup = CoreFixup(
        CoreKind.FIELD_BYTE_OFFSET,
        "struct task_struct.pidd",
        poison=True,
        reason="task_struct has no member pidd",
        missing="pidd",
        available=("pid", "tgid"),
    )
    poisoned: Prepared = ready._replace(poisoned={2: fixup})
    error = VerifierError(
        errno.EINVAL, "load program main", "2: (85) call\ninvalid func unknown#195896080\n"
    )
    locate_failure(error, spec, poisoned)
    assert (error.insn, error.code, error.remedy) == (
        2,
        "core-relocation-unresolved",
        "did you mean pid?",
    )
    assert error.evidence == [
        "CO-RE: nothing in this kernel fits struct task_struct.pidd",
        "task_struct has no member pidd",
    ]
