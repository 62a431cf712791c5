"""Which instructions are newer than the first kernels."""

from __future__ import annotations

import pytest

from bpfctl.asm.insn import BPF_PSEUDO_FUNC, Insn, encode, ld_imm64
from bpfctl.features.since_insns import insn_features


@pytest.mark.parametrize(
    ("insn", "feature"),
    [
        pytest.param(Insn(0xB7), {}, id="move"),
        pytest.param(Insn(0x61), {}, id="load"),
        pytest.param(Insn(0xDB), {}, id="atomic add"),
        pytest.param(Insn(0xD4, imm=16), {}, id="byte order"),
        pytest.param(Insn(0x16), {"32-bit jumps": "5.1"}, id="jump of 32 bits"),
        pytest.param(Insn(0xDB, imm=1), {"atomic operations beyond add": "5.12"}, id="fetch"),
        pytest.param(Insn(0xDB, imm=0x100), {"load-acquire and store-release": "6.15"}, id="load"),
        pytest.param(Insn(0xD7, imm=16), {"unconditional byte swaps": "6.6"}, id="swap"),
        pytest.param(
            Insn(0xBF, off=8), {"signed and sign-extending instructions": "6.6"}, id="movsx"
        ),
        pytest.param(
            Insn(0x37, off=1), {"signed and sign-extending instructions": "6.6"}, id="sdiv"
        ),
        pytest.param(Insn(0x81), {"signed and sign-extending instructions": "6.6"}, id="ldsx"),
        pytest.param(Insn(0xBF, off=1), {"address space casts": "6.9"}, id="cast"),
        pytest.param(Insn(0x06), {"jumps of 32 bits": "6.6"}, id="gotol"),
        pytest.param(Insn(0xE5), {"may_goto": "6.9"}, id="may_goto"),
        pytest.param(Insn(0x0D), {"indirect jumps": "6.19"}, id="gotox"),
    ],
)
def test_features(insn: Insn, feature: dict[str, str]) -> None:
    assert insn_features(encode([insn])) == feature


def test_the_address_of_a_function() -> None:
    code = encode([*ld_imm64(1, 0, BPF_PSEUDO_FUNC)])
    assert insn_features(code) == {"addresses of functions": "5.13"}
