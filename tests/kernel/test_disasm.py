"""Our words for instructions are those of the running kernel's verifier."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bpfctl.asm.insn import Insn, encode
from bpfctl.kernel.attr_prog import prog_load
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import ProgType
from tests.kernel import needs
from tests.unit.asm.insn_texts import LOGGED, WIDE

# A slot's number and opcode, its text, and perhaps the state that follows.
LINE = re.compile(r"^(\d+): \([0-9a-f]{2}\) (.*?)(?:\s+;.*)?$", re.MULTILINE)
# Instructions of kernels after 5.10. Before, verifiers ignored some fields that make the
# difference, and printed another instruction.
NEEDS = {
    r"lock .* [&|^]=|atomic": needs.ATOMICS,
    r"s/=|s%=|\(s\d|bswap|gotol": needs.ISA_V4,
    r"may_goto": needs.MAY_GOTO,
    r"acquire|release": needs.ACQUIRE,
}
EXIT = Insn(0x95)
# Numbers that the verifier cannot know (the length and the type of the packet): it prints
# conditions that it can decide as jumps, from Linux 7.3 on.
SETUP = [Insn(0xBF, 6, 1), Insn(0x61, 1, 6), Insn(0x61, 2, 6, off=4), Insn(0xB7, 0)]
SETUP += [Insn(0x7A, 10, off=-8, imm=0)]


def verifier_text(insns: list[Insn]) -> tuple[str | None, str]:
    """Let the verifier write the instruction behind the setup, taken or not."""
    log = bytearray(1 << 16)
    tail = [] if insns == [EXIT] else [Insn(0xB7, 0), EXIT]  # nothing may be unreachable
    code = encode([*SETUP, *insns, *tail])
    attr = prog_load(
        prog_type=ProgType.SOCKET_FILTER, insns=code, license="GPL", log_level=2, log_buf=log
    )
    result = try_bpf(attr)
    if result >= 0:
        Fd(result).close()
    text = log.split(b"\0", 1)[0].decode()
    return dict(LINE.findall(text)).get(str(len(SETUP))), text


def known(text: str) -> Any:
    """Return a parameter with what it needs of the kernel."""
    marks = [mark for pattern, mark in NEEDS.items() if re.search(pattern, text)]
    return pytest.param(text, marks=marks)


@pytest.mark.parametrize("text", [known(text) for text in (*LOGGED, *WIDE)])
def test_the_verifier_says_the_same(text: str) -> None:
    insns = [LOGGED[text]] if text in LOGGED else list(WIDE[text])
    said, log = verifier_text(insns)
    assert said == text, log
