"""What is judged, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.corpus import places, subjects
from tests.corpus.subjects import Subject

if TYPE_CHECKING:
    from pathlib import Path

FILES = (
    *("a/btf__core_reloc_x___y.o", "a/btf__core_reloc_x.o", "a/btf__core_reloc_xy.o"),
    *("a/test_core_reloc_x_probed.o", "b/other.o"),
)
PAIRS = [f"a/test_core_reloc_x_probed.o@btf__core_reloc_{name}.o" for name in ("x", "x___y")]


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(places.VARIABLE, str(tmp_path))
    for name in FILES:
        path = places.objects() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("a/x.o", Subject("a/x.o")),
        ("a/x.o:p", Subject("a/x.o", "p")),
        ("a/x.o@k.o", Subject("a/x.o", "", "k.o")),
    ],
)
def test_names_of_subjects(name: str, subject: Subject) -> None:
    assert Subject.parse(name) == subject


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        pytest.param([], [*sorted(FILES), *PAIRS], id="all"),
        pytest.param(["other", "test_core"], [*sorted(FILES[3:]), *PAIRS], id="some"),
        pytest.param(["nothing"], [], id="none"),
    ],
)
@pytest.mark.usefixtures("corpus")
def test_the_names_wanted(patterns: list[str], expected: list[str]) -> None:
    assert sorted(subjects.names(patterns)) == sorted(expected)


def test_the_other_kernel_lies_beside(corpus: Path) -> None:
    place = corpus / "objects" / "a"
    assert Subject.parse("a/x.o@k.o").kernel_btf == place / "k.o"
    assert Subject.parse("a/x.o").kernel_btf is None
