"""Whatever somebody wants to set ends in our error, or in sections of the same sizes."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bpfctl.elf.reader import read_object
from bpfctl.errors import BpfctlError
from bpfctl.loader.globals import with_globals

SPEC = read_object(str(Path(__file__).parents[1] / "data/settings.bpf.o"))
NAMES = ["cfg", "enabled", "limits", "name", "wide", "ratio", "hidden", "sum", "none", ""]
STEPS = [
    ".peers",
    ".port",
    ".host",
    ".low",
    ".level",
    "[0]",
    "[1]",
    "[99999999999]",
    "[-1]",
    ".",
    "[",
]
VALUES = [
    "0",
    "-1",
    "1e400",
    "nan",
    "0x",
    "true",
    "'a'",
    "LOUD",
    "1,2,3",
    "1" * 5000,
    "ä" * 8,
    "\0",
]

paths = st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(STEPS) | st.text(max_size=3)))
words = st.text() | st.builds(
    lambda path, value: f"{path[0]}{''.join(path[1])}={value}",
    paths,
    st.sampled_from(VALUES) | st.text() | st.integers().map(str) | st.floats().map(str),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(words, max_size=3))
def test_any_assignment(assignments: list[str]) -> None:
    try:
        changed = with_globals(SPEC, assignments)
    except BpfctlError as err:
        changed, subject = SPEC, err.subject
    else:
        subject = SPEC.path
    assert subject == SPEC.path
    for before, after in zip(SPEC.maps, changed.maps, strict=True):
        assert after.contents is None or len(after.contents) == before.value_size
