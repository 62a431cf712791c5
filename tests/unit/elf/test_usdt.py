"""Static probes: notes of a file, and where arguments are."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from bpfctl.elf.binary import open_binary
from bpfctl.elf.usdt_args import SPEC_BYTES, usdt_spec, with_distances
from bpfctl.elf.usdt_notes import UsdtNote, usdt_notes
from bpfctl.errors import NotYetError, ObjectFileError
from tests.builders.usdt import DATA, FIRST, OTHER, SECOND, SEMAPHORE_AT, TEXT, program

if TYPE_CHECKING:
    from pathlib import Path

CONST, REG, DEREF, INDEXED = range(4)


def notes(tmp_path: Path, data: bytes) -> list[UsdtNote]:
    path = tmp_path / "binary"
    path.write_bytes(data)
    with open_binary(str(path)) as binary:
        return list(usdt_notes(binary))


def test_notes(tmp_path: Path) -> None:
    assert notes(tmp_path, program(other_args="8@%rdi")) == [
        UsdtNote("own", "probe", "-4@%edi 8@%rsi 8@(%rsp) 4@$5", FIRST, 0, TEXT + FIRST),
        UsdtNote("own", "probe", "-4@%edi 4@%esi 8@(%rsp) 4@$6", SECOND, 0, TEXT + SECOND),
        UsdtNote("own", "other", "8@%rdi", OTHER, SEMAPHORE_AT, TEXT + OTHER),
    ]


@pytest.mark.parametrize("at", range(0x1100, 0x1100 + 220))
def test_spoilt_notes(at: int, tmp_path: Path) -> None:
    """Whatever a byte becomes, the answer is a list or an error of ours."""
    data = bytearray(program())
    data[at] ^= 0xFF
    with suppress(ObjectFileError):
        assert len(notes(tmp_path, bytes(data))) <= 3


def args(text: str, machine: str = "x86_64") -> list[tuple[int, ...]]:
    """Return the arguments: value, kind, index, scale, register, signed, shift."""
    spec = usdt_spec(text, 77, machine)
    assert len(spec) == SPEC_BYTES
    cookie, count = struct.unpack_from("<Qh", spec, 192)
    assert cookie == 77
    assert not any(spec[16 * count : 192])
    found: list[tuple[int, ...]] = []
    for number in range(count):
        value, kind, low, high, rest, register, signed, shift = struct.unpack_from(
            "<qBBBBhBb", spec, 16 * number
        )
        assert rest == 0
        found.append((value, kind, low | (high & 0xF) << 8, high >> 4, register, signed, shift))
    return found


@pytest.mark.parametrize(
    ("text", "machine", "expected"),
    [
        pytest.param("", "x86_64", [], id="none"),
        pytest.param("-4@$-9", "x86_64", [(-9, CONST, 0, 0, 0, 1, 32)], id="constant"),
        pytest.param("8@%rdi", "x86_64", [(0, REG, 0, 0, 112, 0, 0)], id="register"),
        pytest.param(
            "1@%al 2@%ax -4@%r8d 8@%r15", "x86_64",
            [(0, REG, 0, 0, 80, 0, 56), (0, REG, 0, 0, 80, 0, 48), (0, REG, 0, 0, 72, 1, 32),
             (0, REG, 0, 0, 0, 0, 0)],
            id="parts of registers",
        ),
        pytest.param("4@16(%rip)", "x86_64", [(16, DEREF, 0, 0, 128, 0, 32)], id="relative"),
        pytest.param(
            "4@-20(%rbp) 8@(%rsp)", "x86_64",
            [(-20, DEREF, 0, 0, 32, 0, 32), (0, DEREF, 0, 0, 152, 0, 0)], id="memory",
        ),
        pytest.param(
            "8@16(%rax,%rdi,8) 8@(%rbx,%rcx)", "x86_64",
            [(16, INDEXED, 112, 3, 80, 0, 0), (0, INDEXED, 88, 0, 40, 0, 0)], id="indexed",
        ),
        pytest.param(
            "-4@[sp, 20] 8@x0 4@5 8@[x19] 8@[x1, -8]", "aarch64",
            [(20, DEREF, 0, 0, 248, 1, 32), (0, REG, 0, 0, 0, 0, 0), (5, CONST, 0, 0, 0, 0, 32),
             (0, DEREF, 0, 0, 152, 0, 0), (-8, DEREF, 0, 0, 8, 0, 0)],
            id="arm64",
        ),
    ],
)  # fmt: skip
def test_arguments(text: str, machine: str, expected: list[tuple[int, ...]]) -> None:
    assert args(text, machine) == expected


@pytest.mark.parametrize(
    ("text", "machine"),
    [
        pytest.param("8@%xmm0", "x86_64", id="vector"),
        pytest.param("8@table(%rip)", "x86_64", id="symbol"),
        pytest.param("3@%rax", "x86_64", id="size"),
        pytest.param("rax", "x86_64", id="no size"),
        pytest.param("8@%rax", "aarch64", id="other machine's"),
        pytest.param("8@%rax", "riscv64", id="unknown machine"),
        pytest.param(" ".join(["8@%rax"] * 13), "x86_64", id="too many"),
    ],
)
def test_arguments_we_cannot_read(text: str, machine: str) -> None:
    with pytest.raises(NotYetError):
        usdt_spec(text, 0, machine)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param("-1@ti(%rip)", "-1@40(%rip)", id="a variable"),
        pytest.param("4@ti+8(%rip) 8@%rdi", "4@48(%rip) 8@%rdi", id="behind it"),
        pytest.param("4@-8+ti(%rip)", "4@32(%rip)", id="before it"),
        pytest.param("4@far.1(%rip)", "4@-4096(%rip)", id="of a function"),
        pytest.param("4@gone(%rip)", "4@gone(%rip)", id="unknown"),
        pytest.param("4@ti(%rax)", "4@ti(%rax)", id="another register"),
        pytest.param("4@16(%rip)", "4@16(%rip)", id="a number"),
    ],
)
def test_variables_become_distances(args: str, expected: str) -> None:
    assert with_distances(args, {"ti": 40, "far.1": -4096}.get) == expected


def test_what_names_no_single_place_is_told() -> None:
    with pytest.raises(NotYetError) as caught:
        usdt_spec("4@gone(%rip)", 0, "x86_64")
    assert caught.value.evidence == ["the file's symbols name no single place gone"]


def test_addresses_of_variables(tmp_path: Path) -> None:
    path = tmp_path / "binary"
    path.write_bytes(program())
    with open_binary(str(path)) as binary:
        assert binary.is_fixed
        assert [binary.data_addresses(name) for name in ("counter", "counte")] == [{DATA}, set()]
