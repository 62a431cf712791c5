"""What this kernel does not know: each is asked for, and the error says what, and since when."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, cast

import pytest

from bpfctl.errors import BpfctlError, NotSupportedError, SyscallError
from bpfctl.explain import first_kernels
from bpfctl.explain.attr_room import measure_attr
from bpfctl.explain.engine import explain
from bpfctl.explain.kernel_types import knows_field, values_of
from bpfctl.features.maps import PROBES
from bpfctl.features.programs import program_probes
from bpfctl.kernel.attr import link_create, map_create, prog_load
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.flags import ProgFlags
from bpfctl.kernel.layout import field_end
from bpfctl.kernel.request import Attr
from bpfctl.kernel.uapi import AttachType, Cmd, MapType, ProgType
from bpfctl.linux.version import kernel_version, parse_release
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.objects.btf import KERNEL_FILE
from tests.kernel import needs
from tests.kernel.small import RETURN_0

if TYPE_CHECKING:
    from collections.abc import Mapping

NEWER = 99  # a number that no kernel has yet
KERNEL = KernelBtf(KERNEL_FILE)  # read once: that takes long in a virtual machine


def failure_of(attr: Attr) -> BpfctlError:
    """Make a call that fails, and return its explained error."""
    with pytest.raises(SyscallError) as caught:
        bpf(attr)
    return explain(caught.value, KERNEL)


def is_new_enough(since: str) -> bool:
    return kernel_version() >= parse_release(since)


def known(enum: str) -> dict[int, str]:
    found = values_of(KERNEL.btf, enum)
    assert found is not None
    return found


def lacks(error: BpfctlError, code: str, words: str, since: str | None) -> bool:
    """Whether an error says that this kernel lacks something, in so many words."""
    assert isinstance(error, NotSupportedError), error
    version = f" (since Linux {since})" if since else ""
    assert (error.code, str(error)) == (code, f"this kernel does not support {words}{version}")
    assert error.refusal is not None
    assert error.remedy == (f"use Linux {since} or later" if since else None)
    return not (since and is_new_enough(since))


@pytest.mark.explains("command-unknown")
def test_commands() -> None:
    names = known("bpf_cmd")
    for number, since in first_kernels.COMMANDS.items():
        assert (number in names) == is_new_enough(since)
        if number not in names:
            error = failure_of(Attr(Cmd(number), "try"))
            assert lacks(
                error, "command-unknown", f"command BPF_{Cmd(number).name} of bpf(2)", since
            )
    error = failure_of(Attr(cast("Cmd", NEWER), "try"))
    assert lacks(error, "command-unknown", f"command bpf command {NEWER} of bpf(2)", None)
    last = max(number for number in names if number < 1 << 16)
    assert error.evidence == [f"its enum bpf_cmd has no value {NEWER}: it ends with {names[last]}"]


@pytest.mark.explains("map-type-unsupported")
def test_map_types() -> None:
    names = known("bpf_map_type")
    for name, how in PROBES.items():
        kind = MapType[name]
        if kind not in names:
            error = failure_of(map_create(map_type=kind, key_size=4, value_size=4, max_entries=1))
            assert lacks(error, "map-type-unsupported", f"maps of type {name.lower()}", how.since)
    error = failure_of(map_create(map_type=NEWER, key_size=4, value_size=4, max_entries=1))
    assert lacks(error, "map-type-unsupported", f"maps of type {NEWER}", None)


def test_a_map_type_that_is_there_is_not_blamed() -> None:
    attr = map_create(map_type=MapType.HASH, key_size=0, value_size=4, max_entries=1)
    assert failure_of(attr).code != "map-type-unsupported"


@pytest.mark.explains("program-type-unsupported")
def test_program_types() -> None:
    names = known("bpf_prog_type")
    for probe in program_probes():
        if probe.prog_type not in names:
            kind = probe.prog_type
            error = failure_of(prog_load(prog_type=kind, insns=RETURN_0, license="GPL", name="x"))
            words = f"programs of type {kind.name.lower()}"
            assert lacks(error, "program-type-unsupported", words, probe.since)
    error = failure_of(prog_load(prog_type=NEWER, insns=RETURN_0, license="GPL", name="x"))
    assert lacks(error, "program-type-unsupported", f"programs of type {NEWER}", None)


def test_a_type_that_was_not_built_names_the_option() -> None:
    """The remote controls are in few kernels; where they are the empty program is the reason."""
    attr = prog_load(prog_type=ProgType.LIRC_MODE2, insns=b"", license="GPL", name="x")
    error = failure_of(attr)
    if needs.verdicts()["program lirc_mode2"].available:
        assert error.code == "syscall-failed"
        return
    assert error.code == "program-type-unsupported"
    assert error.evidence == ["CONFIG_BPF_LIRC_MODE2 is not set"]
    assert error.remedy == "use a kernel that was built with CONFIG_BPF_LIRC_MODE2"


def attach_types() -> Mapping[int, str]:
    return first_kernels.attach_types()


@pytest.mark.explains("attach-type-unsupported")
def test_attach_types() -> None:
    names = known("bpf_attach_type")
    for number, since in attach_types().items():
        if number not in names:
            kind = AttachType(number)
            attr = prog_load(
                prog_type=ProgType.CGROUP_SOCK_ADDR,
                expected_attach_type=kind,
                insns=RETURN_0,
                license="GPL",
                name="x",
            )
            words = f"attach type {kind.name.lower()}"
            assert lacks(failure_of(attr), "attach-type-unsupported", words, since)
    error = failure_of(link_create(prog_fd=NEWER, attach_type=NEWER))
    assert error.code in {"attach-type-unsupported", "syscall-failed"}  # or EBADF comes first


def test_fields_came_when_we_say() -> None:
    known_here = {path: knows_field(KERNEL.btf, path) for path in first_kernels.FIELDS}
    expected = {path: is_new_enough(since) for path, since in first_kernels.FIELDS.items()}
    assert known_here == expected


@pytest.mark.explains("field-unknown")
@pytest.mark.parametrize(
    ("path", "call"),
    [
        pytest.param("map_extra", Cmd.MAP_CREATE, id="within the union of 5.10"),
        pytest.param("excl_prog_hash_size", Cmd.MAP_CREATE, id="excl_prog_hash_size"),
        pytest.param("fd_array", Cmd.PROG_LOAD, id="fd_array"),
        pytest.param("signature_size", Cmd.PROG_LOAD, id="signature_size"),
        pytest.param("raw_tracepoint.cookie", Cmd.RAW_TRACEPOINT_OPEN, id="cookie"),
    ],
)
def test_fields(path: str, call: Cmd) -> None:
    part, _, name = path.rpartition(".")
    attr = Attr(call, "try")
    if call == Cmd.MAP_CREATE:
        attr.set(map_type=MapType.ARRAY, key_size=4, value_size=4, max_entries=1)
    if call == Cmd.PROG_LOAD:
        attr.set(prog_type=ProgType.SOCKET_FILTER, insn_cnt=2, insns=attr.pointer(RETURN_0))
        # No license: a kernel that knows the field says EFAULT.
    attr.set(part, **{name: 1})
    error = failure_of(attr)
    since = first_kernels.FIELDS[path]
    if is_new_enough(since):
        assert error.code != "field-unknown"
        return
    assert lacks(error, "field-unknown", f"field {path} of {attr.call}", since)
    refusal = error.refusal
    assert refusal is not None
    (seen,) = error.evidence
    if refusal.errno == errno.E2BIG:
        room = measure_attr()
        end = field_end("union bpf_attr", path)
        assert seen == f"the kernel takes {room} bytes of a request; {path} ends at {end}"
    else:
        assert seen == f"its union bpf_attr has no {path}"


@pytest.mark.explains("program-flag-unknown")
@pytest.mark.parametrize(
    ("flag", "since"), [(ProgFlags.XDP_HAS_FRAGS, "5.18"), (ProgFlags.TEST_REG_INVARIANTS, "6.8")]
)
def test_flags_of_programs(flag: ProgFlags, since: str) -> None:
    attr = prog_load(
        prog_type=ProgType.XDP, insns=RETURN_0, license="GPL", name="x", prog_flags=flag
    )
    if is_new_enough(since):
        bpf_fd(attr).close()
        return
    error = failure_of(attr)
    assert isinstance(error, NotSupportedError)
    assert (error.code, error.since) == ("program-flag-unknown", since)
    assert error.feature == f"the flag BPF_F_{flag.name} of programs"
    assert error.evidence == [
        "the smallest program of that type loads without it, and is refused with it"
    ]


@pytest.mark.explains("program-too-long")
def test_a_program_that_is_too_long() -> None:
    error = failure_of(
        prog_load(prog_type=ProgType.XDP, insns=RETURN_0 * 500_001, license="GPL", name="x")
    )
    assert (error.code, error.message) == (
        "program-too-long",
        "it has 1000002 instructions, and the kernel takes 1000000",
    )
    assert error.evidence == ["2 too many; subprograms count too"]
