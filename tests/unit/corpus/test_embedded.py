"""Objects cut out of other files."""

from __future__ import annotations

import pytest

from tests.corpus.embedded import EM_BPF, HEADER, cut

X86_64 = 62
HEADERS, EACH, COUNT = 100, 64, 3


def elf(machine: int, fill: bytes = b"\0") -> bytes:
    header = HEADER.pack(
        b"\x7fELF\x02\x01\x01", 1, machine, 1, 0, 0, HEADERS, 0, 64, 0, 0, EACH, COUNT, 0
    )
    return header.ljust(HEADERS + EACH * COUNT, fill)


ONE, OTHER = elf(EM_BPF), elf(EM_BPF, b"x")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(ONE, [ONE], id="an object itself"),
        pytest.param(elf(X86_64) + ONE + b"tail", [ONE], id="in an executable"),
        pytest.param(b"ab" + ONE + OTHER, [ONE, OTHER], id="two"),
        pytest.param(elf(X86_64), [], id="another machine"),
        pytest.param(ONE[:-1], [], id="cut off"),
        pytest.param(b"pad" + ONE[:20], [], id="within the header"),
    ],
)
def test_cut(data: bytes, found: list[bytes]) -> None:
    assert list(cut(data)) == found
