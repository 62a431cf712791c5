"""What the two loaders did, compared and counted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.corpus import report
from tests.corpus.compare import differences

MAP = {"name": "m", "type": "hash", "flags": 0}
PROGRAM = {"pin": "p", "name": "p", "type": "xdp", "tag": "aa", "target": 0, "maps": [MAP]}


def took(*programs: dict[str, Any], code: str = "", loads: Any = ()) -> dict[str, Any]:
    answer = {"outcome": "loaded", "code": code, "text": "", "loads": list(loads)}
    return {**answer, "programs": list(programs)}


def refused(code: str = "", text: str = "") -> dict[str, Any]:
    return {"outcome": "refused", "code": code, "text": text, "loads": [], "programs": []}


NOTHING = {**refused(), "outcome": "nothing"}


def verdict(ours: dict[str, Any], theirs: dict[str, Any], name: str = "a/x.o") -> dict[str, Any]:
    return {"object": name, "bpfctl": ours, "bpftool": theirs}


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        pytest.param(took(PROGRAM), took(PROGRAM), [], id="alike"),
        pytest.param(
            took({**PROGRAM, "tag": "bb"}), took(PROGRAM), ["p: tag bb, bpftool's aa"], id="tag"
        ),
        pytest.param(took(), took(PROGRAM), ["p: pinned by bpftool only"], id="theirs"),
        pytest.param(took(PROGRAM), took(), ["p: pinned by bpfctl only"], id="ours"),
        pytest.param(
            took({**PROGRAM, "maps": [{**MAP, "flags": 1}]}),
            took(PROGRAM),
            ["p: maps ['name=m type=hash flags=1'], bpftool's ['name=m type=hash flags=0']"],
            id="map",
        ),
        pytest.param(
            took(PROGRAM), took(code="not pinned", loads=[["p", "aa"]]), [], id="alike, not pinned"
        ),
        pytest.param(
            took(PROGRAM),
            took(code="not pinned", loads=[["probe", "aa"], ["p", "cc"]]),
            ["p: tag aa, bpftool's cc"],
            id="tag, not pinned",
        ),
        pytest.param(
            took(PROGRAM),
            took(code="not pinned", loads=[["probe", "aa"]]),
            ["p: loaded by bpfctl only"],
            id="ours, not pinned",
        ),
    ],
)
def test_differences(ours: dict[str, Any], theirs: dict[str, Any], expected: list[str]) -> None:
    assert list(differences(verdict(ours, theirs))) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        pytest.param(took(PROGRAM), took(PROGRAM), report.BOTH, id="both"),
        pytest.param(took(), took(PROGRAM), report.DIFFERENT, id="different"),
        pytest.param(refused("x"), took(PROGRAM), report.THEIRS, id="theirs"),
        pytest.param(took(PROGRAM), refused(), report.OURS, id="ours"),
        pytest.param(refused("x"), refused(), report.NEITHER, id="neither"),
        pytest.param(NOTHING, took(), report.BOTH, id="nothing to load"),
    ],
)
def test_classes(ours: dict[str, Any], theirs: dict[str, Any], expected: str) -> None:
    assert report.class_of(verdict(ours, theirs)) == expected


def test_the_table_counts_by_origin() -> None:
    verdicts = [
        verdict(took(PROGRAM), took(PROGRAM), "b/1.o"),
        verdict(took(PROGRAM), took(PROGRAM), "a/2.o"),
        verdict(refused("x"), took(PROGRAM), "a/3.o"),
    ]
    rows = [line.split() for line in list(report.table(verdicts))[1:]]
    assert rows == [
        ["a", "1", "0", "1", "0", "0"],
        ["b", "1", "0", "0", "0", "0"],
        ["all", "2", "0", "1", "0", "0"],
    ]


def test_what_failed_alike_is_one_group() -> None:
    verdicts = [
        verdict(refused("externs-unresolved", "a"), took(PROGRAM), "a/1.o"),
        verdict(refused("object-file", "b"), took(PROGRAM), "a/2.o"),
        verdict(refused("externs-unresolved", "c"), took(PROGRAM), "a/3.o"),
        verdict(took(PROGRAM), refused("", "libbpf: map 'x1': 12 | Error"), "a/4.o"),
    ]
    text = "\n".join(report.lists(verdicts))
    assert "2 x bpfctl: externs-unresolved\n    a/1.o: a\n    a/3.o: c\n" in text
    assert "1 x bpfctl: object-file\n    a/2.o: b\n" in text
    assert "1 x bpftool: libbpf: map *: * | Error\n    a/4.o: libbpf: map 'x1'" in text
