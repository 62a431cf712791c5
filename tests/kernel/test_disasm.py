"""Our words for instructions are those of the running kernel's verifier."""

from __future__ import annotations

import re

import pytest

from bpfctl.asm.insn import Insn, encode
from bpfctl.kernel.attr_prog import prog_load
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import ProgType
from tests.unit.asm.insn_texts import LOGGED, WIDE

# A slot's number and opcode, its text, and perhaps the state that follows.
LINE = re.compile(r"^(\d+): \([0-9a-f]{2}\) (.*?)(?:\s+; .*)?$", re.MULTILINE)
# Opcodes and operations of later kernels: the first version that knows them.
NEW_WORDS = ("s/=", "s%=", "(s", "*(s", "bswap", "gotol", "may_goto", "acquire", "release")
EXIT = Insn(0x95)
SETUP = [Insn(0xBF, 6, 1), Insn(0xB7, 1, imm=4), Insn(0xB7, 2, imm=4), Insn(0xB7, 0)]
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


@pytest.mark.parametrize("text", [*LOGGED, *WIDE])
def test_the_verifier_says_the_same(text: str) -> None:
    insns = [LOGGED[text]] if text in LOGGED else list(WIDE[text])
    said, log = verifier_text(insns)
    if said is None and any(word in text for word in NEW_WORDS):
        pytest.skip(f"this kernel does not know it: {log.strip()[:60]}")
    assert said == text, log
