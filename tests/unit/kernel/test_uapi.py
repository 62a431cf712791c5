"""The generated modules, the flags written by hand, and the C layouts, against a kernel's BTF."""

from __future__ import annotations

import gzip
import importlib.util
import lzma
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError
from bpfctl.kernel import flags, netlink, uapi, uapi_gen
from bpfctl.kernel.layout import field_end
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.uapi_helpers import HelperId
from tests.tools.kernel_image import btf_of
from tests.tools.uapi_btf import PREFIXES, reduced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from enum import IntFlag

ROOT = Path(__file__).parents[3]
BTF_FILE = ROOT / "tests/data/uapi-7.3.btf"


@pytest.fixture(scope="module")
def btf() -> Btf:
    return Btf.parse(BTF_FILE.read_bytes(), path=str(BTF_FILE))


@pytest.fixture(scope="module")
def constants(btf: Btf) -> dict[str, int]:
    enums = (found for found in btf.types() if isinstance(found, t.Enum))
    return {value.name: value.value for found in enums for value in found.values}


@pytest.mark.parametrize(
    ("name", "make"),
    [
        pytest.param("uapi.py", uapi_gen.enums_text, id="enums"),
        pytest.param("uapi_helpers.py", uapi_gen.helpers_text, id="helpers"),
        pytest.param("uapi_cdef.py", uapi_gen.cdef_text, id="structs"),
    ],
)
def test_generating_again_gives_the_same(name: str, make: Callable[[Btf], str], btf: Btf) -> None:
    assert make(btf) == (ROOT / "bpfctl/kernel" / name).read_text()


def test_the_command_line_writes_all_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uapi_gen, "__file__", str(tmp_path / "uapi_gen.py"))
    assert uapi_gen.main([str(BTF_FILE)]) == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["uapi.py", "uapi_cdef.py", "uapi_helpers.py"]
    assert uapi_gen.main([]) == 2


def test_known_numbers() -> None:
    """Numbers that scripts and man pages name, so that a wrong source is noticed."""
    assert (uapi.Cmd.LINK_CREATE, uapi.Cmd.PROG_ASSOC_STRUCT_OPS) == (28, 38)
    assert (uapi.MapType.RINGBUF, uapi.ProgType.TRACING, uapi.LinkType.TCX) == (27, 26, 11)
    assert (uapi.AttachType.TRACE_ITER, HelperId.ringbuf_output) == (28, 130)


def test_no_sentinels() -> None:
    for kind in (uapi.Cmd, uapi.MapType, uapi.ProgType, uapi.AttachType, uapi.LinkType, HelperId):
        assert [name for name in kind.__members__ if "MAX" in name] == []


# Our flags, the prefix of their names in C, and how many of them are enums there, not macros.
FLAGS = [
    pytest.param(flags.MapFlags, "BPF_F_", 20, id="map"),
    pytest.param(flags.UpdateFlags, "BPF_", 2, id="update"),
    pytest.param(flags.UpdateFlags, "BPF_F_", 3, id="update-f"),
]


@pytest.mark.parametrize(("kind", "prefix", "count"), FLAGS)
def test_flags_that_are_enums_in_c(
    kind: type[IntFlag], prefix: str, count: int, constants: dict[str, int]
) -> None:
    ours = {prefix + name: int(member) for name, member in kind.__members__.items()}
    common = ours.keys() & constants.keys()
    assert len(common) == count
    assert {name: ours[name] for name in common} == {name: constants[name] for name in common}


def test_xdp_modes(constants: dict[str, int]) -> None:
    names = ("NONE", "DRV", "SKB", "HW", "MULTI")
    assert [constants[f"XDP_ATTACHED_{name}"] for name in names] == list(netlink.XdpMode)


def test_no_map_flag_is_missing(btf: Btf) -> None:
    (found,) = (
        e
        for e in btf.types()
        if isinstance(e, t.Enum) and any(v.name == "BPF_F_NO_PREALLOC" for v in e.values)
    )
    assert {v.name.removeprefix("BPF_F_") for v in found.values} == set(flags.MapFlags.__members__)


STRUCTS = [("struct", name) for name in uapi_gen.STRUCTS] + [("union", n) for n in uapi_gen.UNIONS]


@pytest.mark.parametrize(("word", "name"), STRUCTS, ids=lambda x: str(x))
def test_layouts_are_the_kernels(word: str, name: str, btf: Btf) -> None:
    type_id = btf.find(name, Kind[word.upper()])
    assert type_id
    assert ffi.sizeof(f"{word} {name}") == btf.size_of(type_id)
    for path, end, size in _fields(btf, type_id, 0):
        assert (path, field_end(f"{word} {name}", path)) == (path, end)
        assert (path, _size(ffi.typeof(f"{word} {name}"), path)) == (path, size)


def _fields(btf: Btf, type_id: int, start: int) -> Iterator[tuple[str, int, int]]:
    """Yield path, end and size in bytes of each field with a name; bit-fields are left out."""
    outer = btf.type(btf.skip_modifiers(type_id))
    assert isinstance(outer, t.Struct)
    for member in outer.members:
        if member.bitfield_bits:
            continue
        begin, size = start + member.offset_bits // 8, btf.size_of(member.type_id)
        if member.name:
            yield member.name, begin + size, size
        if isinstance(btf.type(btf.skip_modifiers(member.type_id)), t.Struct):
            for path, end, inner in _fields(btf, member.type_id, begin):
                yield f"{member.name}.{path}" if member.name else path, end, inner


def _size(kind: Any, path: str) -> int:
    for name in path.split("."):
        kind = _member(kind, name)
        assert kind is not None
    return int(ffi.sizeof(kind))


def _member(kind: Any, name: str) -> Any:
    for label, field in kind.fields:
        found = field.type if label == name else None if label else _member(field.type, name)
        if found is not None:
            return found
    return None


# --- the tools that make the checked-in file


def test_cutting_again_gives_the_same(btf: Btf) -> None:
    again = Btf.parse(reduced(btf))
    assert list(again.types()) == list(btf.types())


def test_only_the_uapi_is_kept(btf: Btf) -> None:
    names = {f.name for f in btf.types() if isinstance(f, t.Struct) and f.name}
    assert "task_struct" not in names
    assert {*uapi_gen.STRUCTS, *uapi_gen.UNIONS, "bpf_insn", "bpf_core_relo"} <= names
    for found in btf.types():
        if isinstance(found, t.Enum) and not found.name:
            assert all(value.name.startswith(PREFIXES) for value in found.values)


def test_a_kernel_without_bpf_is_refused() -> None:
    builder = BtfBuilder()
    builder.add(t.Struct(1, "bpf_attr", 4, (), is_union=True))
    with pytest.raises(BtfError, match="no bpf_cmd"):
        reduced(Btf.parse(builder.build()))


def _zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, _zstd])
def test_type_information_is_found_in_an_image(
    pack: Callable[[bytes], bytes], tool: Callable[[str], str]
) -> None:
    if pack is _zstd:
        tool("zstd")
    data = BTF_FILE.read_bytes()
    decoys = b"".join((bytes.fromhex("9feb010018000000"), b"\x1f\x8b\x08", b"\xfd7zXZ\0"))
    image = b"boot" * 99 + decoys + pack(b"code" * 99 + data + b"more code")
    assert btf_of(image + b"\0" * 99).type(1) == Btf.parse(data).type(1)


def test_bytes_without_type_information() -> None:
    with pytest.raises(BtfError, match="no kernel's type information"):
        btf_of(b"\x9f\xeb\x01\x00" + bytes(999))


# --- the module that cffi reads


def test_the_cffi_module_is_of_these_declarations(tmp_path: Path) -> None:
    """What is installed must be made of the checked-in text: `pip install -e .` makes it anew."""
    setup = ROOT / "setup.py"
    spec = importlib.util.spec_from_file_location("bpfctl_setup", setup)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.generate(tmp_path / "deep/_cffi.py")
    from bpfctl.kernel import _cffi

    assert Path(_cffi.__file__).read_text() == (tmp_path / "deep/_cffi.py").read_text()
