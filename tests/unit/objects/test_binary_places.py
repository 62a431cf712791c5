"""From names of functions to places in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import AmbiguousError, NotFoundError, PathError
from bpfctl.objects.binary_places import (
    binary_path,
    function_offsets,
    functions_matching,
    place_offsets,
)
from tests.unit.elf.test_binary import FUNC, GLOBAL, LOCAL, TEXT, Maker

if TYPE_CHECKING:
    from pathlib import Path

START = 64 + 56  # where .text begins in the file


@pytest.fixture
def binary(tmp_path: Path) -> str:
    maker = Maker(
        symbols=[
            ("main", 0x1000, TEXT, FUNC, GLOBAL),
            ("alias_of_main", 0x1000, TEXT, FUNC, GLOBAL),
            ("moved@@NEW", 0x1008, TEXT, FUNC, GLOBAL),
            ("moved@OLD", 0x1010, TEXT, FUNC, GLOBAL),
            ("both", 0x1018, TEXT, FUNC, LOCAL),
            ("both", 0x1020, TEXT, FUNC, GLOBAL),
            ("twice", 0x1028, TEXT, FUNC, LOCAL),
            ("twice", 0x1030, TEXT, FUNC, LOCAL),
        ]
    )
    path = tmp_path / "binary"
    path.write_bytes(maker.build())
    return str(path)


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        pytest.param("main", 0, id="name"),
        pytest.param("moved", 8, id="default version"),
        pytest.param("moved@OLD", 0x10, id="version"),
        pytest.param("moved@@NEW", 8, id="default version by name"),
        pytest.param("both", 0x20, id="the global one"),
    ],
)
def test_offsets(name: str, offset: int, binary: str) -> None:
    assert function_offsets(binary, [name]) == [START + offset]


def test_offsets_keep_the_order(binary: str) -> None:
    assert function_offsets(binary, ["both", "main"]) == [START + 0x20, START]


def test_places_with_and_without_functions(binary: str) -> None:
    places = ["main", "both+4", "main+0x10", "0x1234", "7", "moved@OLD+1"]
    starts = [START, START + 0x24, START + 0x10, 0x1234, 7, START + 0x11]
    assert place_offsets(binary, places) == starts


@pytest.mark.parametrize("place", ["+4", "main+", "main+x", "main+010"])
def test_places_that_are_none(place: str, binary: str) -> None:
    with pytest.raises(NotFoundError):
        place_offsets(binary, [place])


def test_two_of_a_name(binary: str) -> None:
    with pytest.raises(AmbiguousError) as caught:
        function_offsets(binary, ["twice"])
    assert caught.value.evidence == [
        f"twice at offset {START + 0x28:#x}",
        f"twice at offset {START + 0x30:#x}",
    ]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        pytest.param("maain", "did you mean main?", id="misspelt"),
        pytest.param("moved@NEWER", "did you mean moved?", id="no such version"),
        pytest.param("zzz", None, id="like none"),
    ],
)
def test_missing(name: str, remedy: str | None, binary: str) -> None:
    with pytest.raises(NotFoundError, match=f"there is no function {name}") as caught:
        function_offsets(binary, [name])
    assert (caught.value.code, caught.value.remedy) == ("no-such-function", remedy)


def test_a_stripped_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "stripped"
    path.write_bytes(Maker().build())
    with pytest.raises(NotFoundError) as caught:
        function_offsets(str(path), ["main"])
    assert caught.value.evidence == ["the file has no symbol table (it may be stripped)"]


def test_patterns(binary: str) -> None:
    """Names of one place count once."""
    assert functions_matching(binary, "*ma?n") == {"main": START}
    assert list(functions_matching(binary, "moved")) == ["moved", "moved"][:1]
    with pytest.raises(NotFoundError, match="no function matches x"):
        functions_matching(binary, "x*")


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("libown.so.1", "own-program"):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setenv("PATH", f"relative:{tmp_path}")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert binary_path("libown.so.1") == str(tmp_path / "libown.so.1")
    assert binary_path("own-program") == str(tmp_path / "own-program")
    assert binary_path("./own-program") == str(tmp_path / "own-program")
    with pytest.raises(PathError, match="no library of that name"):
        binary_path("libnone.so.1")
    with pytest.raises(PathError, match="no program of that name"):
        binary_path("none-such-program")
