"""Prototypes in C, and where they differ for the kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfctl.btf.decode import Btf
from bpfctl.btf.prototypes import mismatch, prototype
from bpfctl.btf.types import Kind
from bpfctl.elf.reader import read_object

DATA = Path(__file__).parents[2] / "data"


def function(name: str, file: str = "bad_replacements") -> tuple[Btf, int]:
    """Return a function of one of our objects: its types, and its number there."""
    btf = read_object(f"{DATA}/{file}.bpf.o").btf
    assert btf is not None
    found = btf.find(name, Kind.FUNC)
    assert found is not None
    return btf, found


def static(name: str, file: str) -> tuple[Btf, int]:
    """Return a function after a compiler that knows no global ones (clang before 10)."""
    btf, number = function(name, file)
    data = bytearray(btf.data)
    data[btf.record_offset(number) + 4] = 0
    return Btf.parse(bytes(data)), number


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("more_arguments", "int more_arguments(struct xdp_md *ctx, int more)"),
        ("no_arguments", "int no_arguments(void)"),
        ("by_typedef", "int by_typedef(packet *ctx)"),
    ],
)
def test_in_c(name: str, text: str) -> None:
    assert str(prototype(*function(name))) == text


@pytest.mark.parametrize(
    ("name", "marked", "words"),
    [
        pytest.param("more_arguments", "int more", "2 arguments instead of 1", id="more"),
        pytest.param("no_arguments", "void", "0 arguments instead of 1", id="fewer"),
        pytest.param(
            "other_context",
            "struct __sk_buff *skb",
            "argument 1 is struct __sk_buff *, not struct xdp_md *",
            id="a pointer to something else",
        ),
        pytest.param(
            "a_number", "int ctx", "argument 1 is int, not struct xdp_md *", id="another kind"
        ),
    ],
)
def test_the_difference(name: str, marked: str, words: str) -> None:
    found = mismatch(function("decide", "target"), function(name))
    assert found is not None
    text = str(prototype(*function(name)))
    assert text[found.start : found.start + found.width] == marked
    assert found.words == words


def test_the_same_for_the_kernel() -> None:
    assert mismatch(function("decide", "target"), function("by_typedef")) is None


def test_static() -> None:
    theirs = static("by_typedef", "bad_replacements")
    assert str(prototype(*theirs)) == "static int by_typedef(packet *ctx)"
    found = mismatch(function("decide", "target"), theirs)
    assert found is not None
    assert (found.start, found.width) == (0, len("static"))
