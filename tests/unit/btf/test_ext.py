from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.decode import Btf
from bpfctl.btf.ext import BtfExt, CoreRelo, FuncInfo, LineInfo
from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError
from tests.builders.btf import ext, objects, raw, record, section

if TYPE_CHECKING:
    from pathlib import Path

# String offsets: 1 ".text", 7 "xdp", 11 "0:1"
STRINGS = b"\0.text\0xdp\0000:1\0"
FUNCS = (8, [(1, 2, [(0, 1), (64, 2)]), (7, 1, [(8, 3)])])
LINES = (16, [(7, 1, [(0, 1, 7, 12 << 10 | 5)])])
RELOS = (16, [(7, 1, [(16, 4, 11, 2)])])
WHOLE = BtfExt(
    func_info={".text": [FuncInfo(0, 1), FuncInfo(64, 2)], "xdp": [FuncInfo(8, 3)]},
    line_info={"xdp": [LineInfo(0, 1, 7, 12 << 10 | 5)]},
    core_relos={"xdp": [CoreRelo(16, 4, "0:1", 2)]},
)


@pytest.fixture(scope="module", params=["<", ">"], ids=["little", "big"])
def order(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def btf() -> Btf:
    return Btf.parse(raw(record(Kind.INT, 0, 4, 32), STRINGS))


def test_all_subsections(btf: Btf, order: str) -> None:
    assert BtfExt.parse(ext(FUNCS, LINES, RELOS, order=order), btf) == WHOLE


def test_line_and_column() -> None:
    info = LineInfo(0, 0, 0, 4_000_000 << 10 | 1023)
    assert (info.line, info.column) == (4_000_000, 1023)


def test_a_header_without_relocations(btf: Btf, order: str) -> None:
    found = BtfExt.parse(ext(FUNCS, LINES, order=order, header_words=4), btf)
    assert (found.line_info, found.core_relos) == (WHOLE.line_info, {})


def test_a_header_longer_than_ours(btf: Btf) -> None:
    assert BtfExt.parse(ext(FUNCS, LINES, RELOS, header_words=9), btf) == WHOLE


def test_records_larger_than_ours_are_cut(btf: Btf) -> None:
    longer = (12, [(1, 2, [(0, 1, 99), (64, 2, 99)])])
    assert BtfExt.parse(ext(longer), btf).func_info == {".text": WHOLE.func_info[".text"]}


def test_a_section_named_twice_is_one(btf: Btf) -> None:
    twice = (8, [(7, 1, [(0, 1)]), (7, 1, [(8, 2)])])
    assert BtfExt.parse(ext(twice), btf).func_info == {"xdp": [FuncInfo(0, 1), FuncInfo(8, 2)]}


def test_no_records_at_all(btf: Btf) -> None:
    assert BtfExt.parse(ext(), btf) == BtfExt({}, {}, {})
    assert BtfExt.parse(ext((8, []), (16, [(7, 0, [])])), btf) == BtfExt({}, {"xdp": []}, {})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "does not begin with the magic number", id="empty"),
        pytest.param(ext()[:20], "20 bytes long, shorter than its header", id="no-header"),
        pytest.param(ext(magic=1), "does not begin with the magic number", id="magic"),
        pytest.param(ext(version=0), "has version 0", id="version"),
        pytest.param(ext(hdr_len=8), "a header of 8 bytes", id="header-short"),
        pytest.param(ext(hdr_len=64), "a header of 64 bytes in 32 bytes", id="header-long"),
        pytest.param(ext(FUNCS)[:-1], "subsection that ends behind its end", id="cut"),
        pytest.param(ext((4, [(1, 1, [(0,)])])), "function info records of 4 bytes", id="small"),
        pytest.param(ext((9, [])), "function info records of 9 bytes", id="odd"),
        pytest.param(ext((0, [(1, 1, [])])), "function info records of 0 bytes", id="zero"),
        pytest.param(ext(FUNCS, (12, [])), "line info records of 12 bytes", id="line-small"),
        pytest.param(
            ext((8, [(1, 2**32 - 1, [(0, 1)])])), "4294967295 function info records", id="count"
        ),
        pytest.param(ext((8, [(1, 1, [(0, 1)]), (7, 1, [])])), "there is no room", id="no-room"),
        pytest.param(ext((8, [(99, 1, [(0, 1)])])), "string offset 99", id="section-name"),
        pytest.param(ext(FUNCS, LINES, (16, [(7, 1, [(0, 1, 99, 0)])])), "offset 99", id="access"),
    ],
)
def test_broken(btf: Btf, data: bytes, words: str) -> None:
    with pytest.raises(BtfError, match=words):
        BtfExt.parse(data, btf, "x.o")


# Errors that are kept by variables of their own frames, until they are collected.
COLLECT = """
import gc, sys
from bpfctl.btf.decode import Btf
from bpfctl.btf.ext import BtfExt

def fail(btf, data):
    try:
        BtfExt.parse(data, btf)
    except Exception as err:
        kept = err
    raise kept

gc.disable()
btf, data = (bytes.fromhex(word) for word in sys.argv[1:])
for _ in range(20):
    try:
        fail(Btf.parse(btf), data)
    except Exception:
        pass
print(gc.collect() > 20)
"""


def test_collected_errors() -> None:
    """Python crashes when it collects a view that iter_unpack still reads: try it in a child."""
    btf, data = (
        raw(record(Kind.INT, 0, 4, 32), STRINGS),
        ext(FUNCS, LINES, (16, [(7, 1, [(0, 1, 99, 0)])])),
    )
    words = [sys.executable, "-c", COLLECT, btf.hex(), data.hex()]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_a_subsection_that_ends_inside_a_head(btf: Btf) -> None:
    data = bytearray(ext((8, [(1, 1, [(0, 1)])])))
    data[12] = 8  # the length of the function info: its record size and half a head
    with pytest.raises(BtfError, match="ends inside its function info records") as caught:
        BtfExt.parse(bytes(data), btf, "x.o")
    assert caught.value.details() == {"section": ".BTF.ext", "offset": 36}
    assert caught.value.subject == "x.o"
    data[12] = 2  # not even its record size
    with pytest.raises(BtfError, match="ends inside its function info records"):
        BtfExt.parse(bytes(data), btf)


@pytest.mark.parametrize("path", objects(), ids=lambda path: str(path.name))
def test_what_clang_made(path: Path) -> None:
    """Each function info record names a function, each line a text, all inside the section."""
    btf = Btf.parse(section(path, ".BTF"))
    found = BtfExt.parse(section(path, ".BTF.ext"), btf)
    assert found.func_info
    for name, records in found.func_info.items():
        size = len(section(path, name))
        assert {btf.type(one.type_id).kind for one in records} == {Kind.FUNC}
        assert all(one.insn_off < size and one.insn_off % 8 == 0 for one in records)
        for line in found.line_info[name]:
            assert line.insn_off < size
            assert btf.string(line.file_name_off).endswith((".c", ".h"))
            assert line.line == 0 or btf.string(line.line_off) is not None
    for relos in found.core_relos.values():
        for relo in relos:
            assert btf.type(relo.type_id).kind in {
                Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.ENUM64, Kind.TYPEDEF, Kind.FWD, Kind.INT,
            }  # fmt: skip
            assert all(part.isdigit() for part in relo.access.split(":"))
            assert 0 <= relo.kind <= 12
