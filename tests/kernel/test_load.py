"""Objects on the running kernel, and bpftool as the witness of what a load should give."""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import ObjectSpec, ProgramSpec
from bpfctl.errors import NotFoundError, ObjectFileError, SyscallError, VerifierError
from bpfctl.kernel.attr import map_elem, prog_test_run
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.info import prog_info
from bpfctl.kernel.uapi import Cmd, ProgType
from bpfctl.linux.version import kernel_version
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.objects.map import Map
from bpfctl.objects.prog import programs
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.loaded import LoadedObject

MMAPABLE = 1 << 10
EXIT = bytes([0x95, 0, 0, 0, 0, 0, 0, 0])
RETURN_0 = bytes([0xB7, 0, 0, 0, 0, 0, 0, 0]) + EXIT
READ_R3 = bytes([0xBF, 0x30, 0, 0, 0, 0, 0, 0]) + EXIT  # r0 = r3, which nothing set
ADD_1 = bytes([0x07, 0, 0, 0, 1, 0, 0, 0])

# Objects that Debian's bpftool 7.1 loads too; what an object needs of the kernel.
SHARED: list[Any] = [
    pytest.param("arg_tags", marks=needs.ARG_TAGS),
    "target",
    "cgroup_skb",
    "connect4",
    "core",
    "core_fields",
    "globals",
    "half_typed",
    pytest.param("iter_cgroup", marks=needs.CGROUP_ITER),
    "iter_map_elem",
    "iter_task",
    "legacy",
    pytest.param("maps", marks=needs.EMPTY_DATASEC),
    "raw_tp",
    pytest.param("subprogs", marks=needs.CALLBACKS),
    "tp_btf",
    "tracepoint",
    "xdp_pass",
]


@dataclass(frozen=True)
class Seen:
    """What bpftool shows of a program: its code and its maps, without what differs by load."""

    tag: str
    bytes_xlated: int
    type: str
    maps: dict[str, tuple[Any, ...]]


def seen(bpftool: Callable[..., Any], *words: str) -> Seen:
    shown = bpftool("prog", "show", *words)
    infos = [bpftool("map", "show", "id", str(number)) for number in shown.get("map_ids", [])]
    keys = ("type", "bytes_key", "bytes_value", "max_entries", "frozen")
    maps = {info["name"]: (*(info.get(key) for key in keys), "btf_id" in info) for info in infos}
    return Seen(shown["tag"], shown["bytes_xlated"], shown["type"], maps)


def prog_id(fd: Fd) -> str:
    return str(prog_info(fd).number("id"))


@pytest.mark.parametrize("name", SHARED)
def test_the_kernel_gets_what_bpftool_gives_it(
    name: str, data: Path, bpffs: Path, bpftool: Callable[..., Any]
) -> None:
    path = data / f"{name}.bpf.o"
    bpftool("prog", "loadall", str(path), str(bpffs / "theirs"))
    pins = sorted((bpffs / "theirs").iterdir())
    theirs = {pin.name: seen(bpftool, "pinned", str(pin)) for pin in pins}
    with load(read_object(str(path))) as loaded:
        ours = {
            program: seen(bpftool, "id", prog_id(one.fd))
            for program, one in loaded.programs.items()
        }
    assert ours == theirs
    assert theirs, "bpftool loaded nothing"


def value_of(loaded: LoadedObject, name: str) -> bytes:
    one = loaded.maps[name]
    value = bytearray(one.spec.value_size)
    bpf(map_elem(Cmd.MAP_LOOKUP_ELEM, one.fd, bytes(4), value))
    return bytes(value)


def test_data_sections_have_their_contents(data: Path) -> None:
    spec = read_object(str(data / "globals.bpf.o"))
    sections = {one.name: one for one in spec.maps if one.section}
    with load(spec) as loaded:
        found = {name: value_of(loaded, name) for name in sections}
    wanted = {
        name: (one.contents or b"").ljust(one.value_size, b"\0") for name, one in sections.items()
    }
    assert found == wanted
    assert any(any(value) for value in found.values()), "the object has no initialised data"


def test_read_only_data_is_frozen_and_other_data_is_not(data: Path) -> None:
    with load(read_object(str(data / "globals.bpf.o"))) as loaded:
        refused = {}
        for name, one in loaded.maps.items():
            if not one.spec.section:
                continue
            try:
                bpf(map_elem(Cmd.MAP_UPDATE_ELEM, one.fd, bytes(4), value_of(loaded, name)))
            except SyscallError as err:
                refused[name] = err.errno
    assert refused == {"globals.rodata": errno.EPERM, ".rodata.tuning": errno.EPERM}


def test_programs_in_question_mark_sections_wait(data: Path) -> None:
    spec = read_object(str(data / "sections.bpf.o"))
    with load(spec) as loaded:
        assert "not_by_itself" not in loaded.programs
        assert loaded.programs
    with load(spec, LoadOptions(programs=frozenset({"not_by_itself"}))) as loaded:
        assert list(loaded.programs) == ["not_by_itself"]


@needs.ATOMICS
def test_user_programs_are_raw_tracepoint_programs(data: Path) -> None:
    with load(read_object(str(data / "user.bpf.o"))) as loaded:
        types = {one.spec.section.text: prog_info(one.fd) for one in loaded.programs.values()}
        assert {info.number("type") for info in types.values()} == {ProgType.RAW_TRACEPOINT}
        assert "user" in types


def small(code: bytes, section: str = "socket", name: str = "small") -> ObjectSpec:
    """An object of one program."""
    from bpfctl.elf.spec import FunctionSpec

    function = FunctionSpec(f"{section}:{name}", name, section, 0, code)
    program = ProgramSpec(name, parse_section_name(section), function.key)
    return ObjectSpec("small.bpf.o", "GPL", 0, (program,), {function.key: function}, ())


def test_a_rejection_has_the_place_and_the_log(data: Path) -> None:
    with pytest.raises(VerifierError) as raised:
        load(read_object(str(data / "null_check.bpf.o")))
    error = raised.value
    assert (error.program, error.errno, error.missing_bytes) == ("careless", errno.EACCES, 0)
    assert (error.file, error.source) == ("null_check.bpf.c", "return (int)*value;")
    assert error.line is not None
    assert f"\n{error.insn}: (79)" in error.log
    assert "R0 invalid mem access 'map_value_or_null'" in error.log


def test_a_huge_log_is_whole() -> None:
    with pytest.raises(VerifierError) as raised:
        load(small(RETURN_0[:8] + ADD_1 * 40_000 + READ_R3))
    log = raised.value.log
    assert len(log) > 700_000  # kernels differ in what they write of each instruction
    assert raised.value.missing_bytes == 0
    assert "\n0: (b7) r0 = 0" in f"\n{log}"
    assert log.rstrip().splitlines()[-1].startswith("processed 40002 insns")
    assert raised.value.insn == 40_001


@pytest.mark.parametrize("fixed", [False, True])
def test_a_log_cut_short_says_so(fixed: bool) -> None:
    options = LoadOptions(log_size=1000, log_fixed=fixed)
    with pytest.raises(VerifierError) as raised:
        load(small(RETURN_0[:8] + ADD_1 * 100 + READ_R3), options)
    error = raised.value
    rotates = kernel_version() >= (6, 4, 0)
    beginning = fixed or not rotates
    assert error.kept_beginning is beginning
    if rotates:
        assert error.missing_bytes is not None
        assert error.missing_bytes > 1000
    else:
        assert error.missing_bytes is None
    words = ("\n0: (b7) r0 = 0" in f"\n{error.log}", "!read_ok" in error.log)
    assert words == (beginning, not beginning)


def test_a_log_on_request_comes_with_success() -> None:
    with load(small(RETURN_0), LoadOptions(log_level=4)) as loaded:
        assert "processed 2 insns" in loaded.programs["small"].log.text


def test_a_failed_load_leaves_no_program(data: Path) -> None:
    """The first program loads, the second does not: both are gone."""
    good, bad = f"lg{os.getpid()}", f"lb{os.getpid()}"
    one, other = small(RETURN_0, name=good), small(READ_R3, "xdp", bad)
    both = replace(
        one, programs=one.programs + other.programs, functions=one.functions | other.functions
    )
    with pytest.raises(VerifierError) as raised:
        load(both)
    assert raised.value.program == bad
    assert good not in {info.name for info in programs()}


def test_programs_of_one_name_cannot_be_told_apart() -> None:
    one, other = small(RETURN_0), small(RETURN_0, "xdp")
    both = replace(
        one, programs=one.programs + other.programs, functions=one.functions | other.functions
    )
    with pytest.raises(ObjectFileError, match="two programs are called small") as raised:
        load(both)
    assert raised.value.code == "duplicate-program-name"


def test_a_program_that_is_not_there(data: Path) -> None:
    spec = read_object(str(data / "xdp_pass.bpf.o"))
    with pytest.raises(NotFoundError, match="no program is called missing"):
        load(spec, LoadOptions(programs=frozenset({"missing"})))


def test_a_missing_target_is_found_before_anything_is_made() -> None:
    with pytest.raises(NotFoundError, match='no iterator "tusk"') as raised:
        load(small(RETURN_0, "iter/tusk"))
    assert raised.value.remedy == "did you mean task?"
    assert raised.value.program == "small"


def test_variables_are_set_before_the_load(data: Path) -> None:
    words = ("cfg.peers[1].port=300", "cfg.low=3", "limits[2]=20", "enabled=true", "name=A")
    options = LoadOptions(globals=(*words, "hidden=-4"))
    with load(read_object(str(data / "settings.bpf.o")), options) as loaded:
        request = prog_test_run(loaded.programs["use_settings"].fd)
        bpf(request)
        entry = next(one for one in loaded.maps.values() if one.spec.section == ".bss")
        with Map(entry.fd.duplicate()) as values:
            data_of_bss = values.lookup(bytes(4))
    numbers = struct.unpack(f"<{len(data_of_bss) // 4}i", data_of_bss)
    assert 300 + 3 + 20 + 1 + ord("A") - 4 in numbers
