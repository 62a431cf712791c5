from __future__ import annotations

import errno
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.core_fixup import CoreFixup, CoreKind
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import ObjectSpec, ProgramSpec
from bpfctl.errors import NotFoundError, RelocationError, VerifierError
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.linux.version import kernel_version_code
from bpfctl.loader.core import FittedCode
from bpfctl.loader.extern_result import Bound
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.prepare import Prepared, locate_failure, prepare, request
from bpfctl.loader.program_target import Targets
from bpfctl.loader.support import chosen_programs
from tests.unit.loader.objects import EXIT, function, object_of

if TYPE_CHECKING:
    from bpfctl.loader.verifier import ProgLoad

NO_KERNEL = KernelBtf("/nonexistent")
SLEEPABLE, FRAGS, DEV_BOUND = 1 << 4, 1 << 5, 1 << 6


def one_program(section: str, **more: object) -> ObjectSpec:
    main = function(f"{section}:main", EXIT)
    program = ProgramSpec("main", parse_section_name(section), main.key)
    return object_of(main, programs=(program,), **more)


def ready(spec: ObjectSpec) -> Prepared:
    targets = Targets(NO_KERNEL, {}, ExitStack())
    return prepare(spec, spec.programs[0], FittedCode(None, NO_KERNEL), targets)


def asked(spec: ObjectSpec, options: LoadOptions | None = None) -> ProgLoad:
    return request(spec, ready(spec), Bound({}), 0, options or LoadOptions())


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


@pytest.mark.parametrize(
    ("section", "offload", "wanted"),
    [
        pytest.param("xdp", False, (7, DEV_BOUND), id="XDP for a device"),
        pytest.param("xdp", True, (7, 0), id="XDP in a device"),
        pytest.param("tc", True, (7, 0), id="tc in a device"),
        pytest.param("tc", False, (0, 0), id="only XDP can be bound"),
    ],
)
def test_a_device_goes_along(section: str, offload: bool, wanted: tuple[int, int]) -> None:
    found = asked(one_program(section), LoadOptions(ifindex=7, offload=offload))
    assert (found.prog_ifindex, found.prog_flags) == wanted


@pytest.mark.parametrize(
    ("options", "names"),
    [
        pytest.param(LoadOptions(), ["one", "two"], id="all but those in ? sections"),
        pytest.param(LoadOptions(skip=frozenset({"one"})), ["two"], id="not this one"),
        pytest.param(LoadOptions(programs=frozenset({"last"})), ["last"], id="only this one"),
    ],
)
def test_programs_are_chosen(options: LoadOptions, names: list[str]) -> None:
    sections = {"one": "xdp", "two": "tc", "last": "?xdp"}
    spec = object_of(
        programs=tuple(
            ProgramSpec(name, parse_section_name(section), f"{section}:{name}")
            for name, section in sections.items()
        )
    )
    assert [one.name for one in chosen_programs(spec, options)] == names


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(LoadOptions(programs=frozenset({"mian"})), id="only"),
        pytest.param(LoadOptions(skip=frozenset({"mian"})), id="skip"),
    ],
)
def test_a_program_that_is_not_there_cannot_be_chosen(options: LoadOptions) -> None:
    with pytest.raises(NotFoundError, match="no program is called mian") as raised:
        chosen_programs(one_program("xdp"), options)
    assert raised.value.remedy == "programs in it: main"


def test_license_and_name_go_along() -> None:
    found = asked(one_program("xdp", license="Dual BSD/GPL"))
    assert (found.license, found.name, found.insns) == ("Dual BSD/GPL", "main", EXIT)


def test_core_relocations_want_types() -> None:
    from bpfctl.btf.ext import CoreRelo

    main = function("xdp:main", EXIT, core_relos=(CoreRelo(0, 1, "0:0", 0),))
    with pytest.raises(RelocationError, match="without type information") as raised:
        FittedCode(None, NO_KERNEL).code(main)
    assert raised.value.program == "main"


def test_a_poisoned_instruction_names_the_access() -> None:
    spec = one_program("xdp")
    fixup = CoreFixup(
        CoreKind.FIELD_BYTE_OFFSET,
        "struct task_struct.pidd",
        poison=True,
        reason="task_struct has no member pidd",
        missing="pidd",
        available=("pid", "tgid"),
    )
    poisoned = ready(spec)._replace(poisoned={2: fixup})
    error = VerifierError(
        errno.EINVAL, "load program main", "2: (85) call\ninvalid func unknown#195896080\n"
    )
    locate_failure(error, spec, poisoned)
    assert (error.insn, error.code, error.remedy) == (
        2,
        "core-relocation-unresolved",
        "did you mean pid? If not, guard the access: if (bpf_core_field_exists(...))",
    )
    assert error.unresolved == "nothing in this kernel fits struct task_struct.pidd"
    assert error.evidence == ["task_struct has no member pidd"]


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (CoreKind.FIELD_BYTE_OFFSET, "bpf_core_field_exists"),
        (CoreKind.FIELD_BYTE_SIZE, "bpf_core_field_exists"),
        (CoreKind.ENUMVAL_VALUE, "bpf_core_enum_value_exists"),
        (CoreKind.TYPE_SIZE, "bpf_core_type_exists"),
    ],
)
def test_an_access_without_like_names_can_be_guarded(kind: CoreKind, check: str) -> None:
    spec = one_program("xdp")
    poisoned = ready(spec)._replace(poisoned={2: CoreFixup(kind, "struct s.x", poison=True)})
    error = VerifierError(errno.EINVAL, "load", "2: (85) call\ninvalid func unknown#195896080\n")
    locate_failure(error, spec, poisoned)
    assert error.remedy == f"guard the access: if ({check}(...))"
