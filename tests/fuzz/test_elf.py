"""Broken objects end in our error or in a blueprint: quickly, and in little memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpfctl.elf.reader import parse_object
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import ObjectSpec
from bpfctl.errors import ObjectFileError, SectionNameError
from tests.builders.jump_table import with_jump_table

DATA = Path(__file__).parents[1] / "data"
OBJECTS = [path.read_bytes() for path in sorted(DATA.glob("*.bpf.o"))] + [with_jump_table()]

SECONDS = 10  # for one object of a few KiB: far more than it takes, far less than for ever
MEMORY_BYTES = 16 << 20

quick = settings(
    max_examples=500,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def read(data: bytes) -> None:
    """Read an object as if it were in a file; anything but our error fails the test."""
    started = time.monotonic()
    found: ObjectSpec | ObjectFileError
    try:
        found = parse_object(data, "fuzz.bpf.o")
    except ObjectFileError as err:
        found = err
    assert isinstance(found, ObjectSpec) or str(found).startswith("fuzz.bpf.o: ")
    assert time.monotonic() - started < SECONDS


@st.composite
def flipped(draw: st.DrawFn) -> bytes:
    """An object with up to eight bytes changed."""
    data = bytearray(draw(st.sampled_from(OBJECTS)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, data[at] ^ 1, data[at] ^ 0x10]))
    return bytes(data)


@st.composite
def tampered(draw: st.DrawFn) -> bytes:
    """An object with words of its headers, symbols, relocations or types made nasty."""
    data = bytearray(draw(st.sampled_from(OBJECTS)))
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.sampled_from([2, 4, 8]))
        near_the_end = draw(st.booleans())  # where section headers and symbols are
        low = len(data) * 2 // 3 if near_the_end else 0
        at = draw(st.integers(low // size, (len(data) - size) // size)) * size
        word = draw(
            st.sampled_from([0, 1, 3, 4, 8, 16, 24, 64, 2 ** (8 * size - 1), 2 ** (8 * size) - 1])
        )
        data[at : at + size] = word.to_bytes(size, "little")
    return bytes(data)


@st.composite
def spliced(draw: st.DrawFn) -> bytes:
    """The beginning of one object and the end of another."""
    first, second = draw(st.sampled_from(OBJECTS)), draw(st.sampled_from(OBJECTS))
    return first[: draw(st.integers(64, len(first)))] + second[draw(st.integers(0, len(second))) :]


@quick
@given(st.sampled_from(OBJECTS), st.data())
def test_cut_objects(data: bytes, draw: st.DataObject) -> None:
    read(data[: draw.draw(st.integers(0, len(data) - 1))])


@quick
@given(flipped())
def test_flipped_bytes(data: bytes) -> None:
    read(data)


@quick
@given(tampered())
def test_nasty_words(data: bytes) -> None:
    read(data)


@quick
@given(spliced())
def test_spliced_objects(data: bytes) -> None:
    read(data)


@settings(max_examples=100, deadline=None)
@given(tampered())
def test_memory_is_bounded(data: bytes) -> None:
    tracemalloc.start()
    try:
        read(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_BYTES


@settings(max_examples=500, deadline=None)
@given(
    st.text(max_size=40)
    | st.tuples(
        st.sampled_from(["", "?"]),
        st.sampled_from(["xdp", "user", "tp", "uprobe", "iter", "cgroup/sock", "fentry.s", "tc"]),
        st.text(alphabet="/:+@_.xX0*? ", max_size=12),
    ).map("".join)
)
def test_any_text_as_a_section_name(text: str) -> None:
    try:
        found = parse_section_name(text)
    except SectionNameError as err:
        for name in err.suggestions:
            assert parse_section_name(name)
    else:
        assert found.text == text
        assert text.removeprefix("?").startswith(found.definition.name)


@pytest.mark.parametrize("data", OBJECTS, ids=lambda data: f"{len(data)}-bytes")
def test_every_object_survives_zeroed_sections(data: bytes) -> None:
    """Each 64 bytes of the file become zero once."""
    for at in range(0, len(data), 64):
        read(data[:at] + bytes(64) + data[at + 64 :])
