"""Externs of compiled objects on the running kernel; what programs read is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.asm.insn import decode
from bpfctl.btf.types import Datasec, Kind
from bpfctl.elf.reader import read_object
from bpfctl.errors import ExternError, PathError, VerifierError
from bpfctl.kernel.attr import prog_test_run
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.info import prog_info, prog_xlated
from bpfctl.linux.kallsyms import addresses_of
from bpfctl.linux.kconfig import kernel_config
from bpfctl.linux.version import kernel_version_code
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.objects.map import Map
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bpfctl.loader.loaded import LoadedObject


def variables(loaded: LoadedObject, section: str = ".bss") -> dict[str, bytes]:
    """The bytes of each variable in a data section, as the kernel has them."""
    entry = next(one for one in loaded.maps.values() if one.spec.section == section)
    btf = loaded.spec.btf
    assert btf is not None
    found = btf.find(section, Kind.DATASEC)
    datasec = btf.type(found or 0)
    assert isinstance(datasec, Datasec)
    with Map(entry.fd.duplicate()) as values:
        data = values.lookup(bytes(4))
    return {btf.name(v.type_id): data[v.offset :][: v.size_bytes] for v in datasec.vars}


def run(loaded: LoadedObject, name: str) -> None:
    bpf(prog_test_run(loaded.programs[name].fd))


def number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def test_values_of_the_configuration(data: Path) -> None:
    config = kernel_config()
    spec = read_object(str(data / "kconfig.bpf.o"))
    if config is None:
        with pytest.raises(ExternError, match="no file tells"):
            load(spec)
        return
    with load(spec) as loaded:
        run(loaded, "use_kconfig")
        found = variables(loaded)
    assert number(found["version"]) == kernel_version_code()
    assert (found["syscall"], found["net"]) == (b"\1", b"y")
    assert number(found["jit"]) == {"y": 1, "n": 0}[config.get("CONFIG_BPF_JIT") or "n"]
    assert number(found["hz"]) == int(config.get("CONFIG_HZ") or 0)
    assert number(found["cpus"]) == int(config.get("CONFIG_NR_CPUS") or 0)
    assert number(found["shift"]) == int(config.get("CONFIG_LOG_BUF_SHIFT") or 0)
    text = (config.get("CONFIG_CC_VERSION_TEXT") or "")[:7]
    assert found["text"] == text.encode().ljust(8, b"\0")
    assert number(found["nothing"]) == 0
    assert number(found["wrapper"]) == 1


def test_another_configuration(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "config"
    other.write_text("CONFIG_BPF_SYSCALL=y\nCONFIG_NET=y\nCONFIG_HZ=77\nCONFIG_BPF_JIT=m\n")
    spec = read_object(str(data / "kconfig.bpf.o"))
    with load(spec, LoadOptions(kernel_config=str(other))) as loaded:
        run(loaded, "use_kconfig")
        found = variables(loaded)
    assert (number(found["hz"]), number(found["jit"])) == (77, 2)


@pytest.mark.parametrize("text", [None, "what\n"], ids=["no file", "no configuration"])
def test_a_file_that_is_no_configuration(data: Path, tmp_path: Path, text: str | None) -> None:
    place = tmp_path / "config"
    if text:
        place.write_text(text)
    with pytest.raises(PathError, match="is no kernel configuration") as raised:
        load(read_object(str(data / "kconfig.bpf.o")), LoadOptions(kernel_config=str(place)))
    assert raised.value.subject == str(place)


@needs.TASK_KFUNCS
def test_symbols_with_and_without_a_type(data: Path) -> None:
    with load(read_object(str(data / "ksyms.bpf.o"))) as loaded:
        run(loaded, "use_ksyms")
        bss, values = variables(loaded), variables(loaded, ".data")
    known = addresses_of(["schedule"])
    assert known is not None
    assert {number(bss["address"])} == known["schedule"]
    assert number(values["absent"]) == 0
    assert [number(bss[name]) for name in ("taken", "released", "called")] == [1, 1, 0]


@needs.VARIABLES
def test_a_variable_that_each_cpu_has(data: Path) -> None:
    with load(read_object(str(data / "ksym_percpu.bpf.o"))) as loaded:
        assert list(loaded.programs) == ["use_percpu"]


@pytest.mark.parametrize("name", ["kconfig", pytest.param("ksym_percpu", marks=needs.VARIABLES)])
def test_bpftool_loads_the_same_code(
    data: Path, bpffs: Path, bpftool: Callable[..., Any], name: str
) -> None:
    path = str(data / f"{name}.bpf.o")
    bpftool("prog", "loadall", path, str(bpffs / "theirs"))
    with load(read_object(path)) as loaded:
        for program, one in loaded.programs.items():
            theirs = bpftool("prog", "show", "pinned", str(bpffs / "theirs" / program))
            assert theirs["tag"] == prog_info(one.fd).raw("tag").hex()


@pytest.mark.explains("externs-unresolved")
def test_missing_ones_are_told_together(data: Path) -> None:
    with pytest.raises(ExternError, match="4 externs are not resolved") as raised:
        load(read_object(str(data / "externs_missing.bpf.o")))
    assert raised.value.code == "externs-unresolved"
    assert [one["name"] for one in raised.value.externs] == [
        "CONFIG_NO_SUCH_THING",
        "no_such_symbol",
        "no_such_variable",
        "scx_bpf_no_such_function",
    ]


def test_an_unguarded_call_of_an_absent_function_is_named(data: Path) -> None:
    spec = read_object(str(data / "externs_missing.bpf.o"))
    with pytest.raises(VerifierError) as raised:
        load(spec, LoadOptions(programs=frozenset({"calls_weak"})))
    error = raised.value
    assert (error.code, error.remedy) == (
        "extern-unresolved",
        "guard the call: if (bpf_ksym_exists(bpf_weak_function))",
    )


@needs.FOU_KFUNCS
def test_functions_of_a_module(data: Path) -> None:
    with load(read_object(str(data / "module_kfunc.bpf.o"))) as loaded:
        code = prog_xlated(loaded.programs["use_module"].fd)
    calls = [one for one in decode(code) if one.is_kfunc_call]
    assert len(calls) == 2
