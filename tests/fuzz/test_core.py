"""Broken types and relocations end in our error or a fixup: never in a traceback or a hang."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bpfctl.asm import core_patch
from bpfctl.asm.core_patch import Patch
from bpfctl.asm.disasm import disassemble, listing
from bpfctl.asm.insn import Insn
from bpfctl.btf.core import CoreTarget, resolve
from bpfctl.btf.decode import Btf
from bpfctl.btf.ext import BtfExt, CoreRelo
from bpfctl.errors import ObjectFileError, RelocationError
from tests.builders.btf import section

OBJECT = Path(__file__).parent.parent / "data" / "core_fields.bpf.o"
TYPES = section(OBJECT, ".BTF")
WHOLE = Btf.parse(TYPES)
RELOS = [
    relo
    for rows in BtfExt.parse(section(OBJECT, ".BTF.ext"), WHOLE).core_relos.values()
    for relo in rows
]
HURTFUL = [0, 1, 2, 7, 2**16 - 1, 2**24, 2**31, 2**32 - 1, 0x84000002, 0x04000001]

bounded = settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])

accesses = st.one_of(
    st.text(max_size=12),
    st.lists(st.integers(0, 9), min_size=1, max_size=70).map(lambda n: ":".join(map(str, n))),
)
strange_relos = st.builds(
    CoreRelo,
    insn_off=st.integers(0, 2**32 - 1),
    type_id=st.integers(0, len(WHOLE) + 2),
    access=accesses,
    kind=st.integers(0, 14),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Overwrite words of the type section, mostly with small numbers: they are type ids then."""
    data = bytearray(TYPES)
    words = WHOLE.header.type_len // 4
    for _ in range(draw(st.integers(1, 8))):
        at = WHOLE.header.type_off + 4 * draw(st.integers(0, words - 1))
        word = draw(st.one_of(st.integers(0, len(WHOLE)), st.sampled_from(HURTFUL)))
        data[at : at + 4] = word.to_bytes(4, "little")
    return bytes(data)


def resolve_all(local: Btf, target: Btf, relos: list[CoreRelo]) -> int:
    """Resolve as a loader does; count those that ended in a fixup."""
    kernel, done = CoreTarget(target), 0
    for relo in relos:
        with contextlib.suppress(ObjectFileError):
            fixup = resolve(local, relo, kernel)
            assert fixup.spec_text
            assert fixup.poison <= bool(fixup.reason)
            fixup.nearest()
            done += 1
    return done


def test_nothing_fails_undamaged() -> None:
    assert resolve_all(WHOLE, WHOLE, RELOS) == len(RELOS)


@bounded
@given(damaged(), st.booleans())
def test_damaged_types(data: bytes, in_the_object: bool) -> None:
    with contextlib.suppress(ObjectFileError):
        broken = Btf.parse(data)
        pair = (broken, WHOLE) if in_the_object else (WHOLE, broken)
        resolve_all(*pair, RELOS)


@bounded
@given(damaged())
def test_types_damaged_in_the_same_way_on_both_sides(data: bytes) -> None:
    """Cycles are then followed on both sides."""
    with contextlib.suppress(ObjectFileError):
        broken = Btf.parse(data)
        kinds = [
            CoreRelo(0, type_id, "0", kind) for type_id in range(len(broken)) for kind in (8, 12)
        ]
        resolve_all(broken, broken, RELOS + kinds)


@bounded
@given(st.lists(strange_relos, min_size=1, max_size=20))
def test_strange_relocations(relos: list[CoreRelo]) -> None:
    resolve_all(WHOLE, WHOLE, relos)


patches = st.builds(
    Patch,
    value=st.integers(-(2**63), 2**64),
    original=st.one_of(st.none(), st.integers(-2, 2)),
    value_bits=st.sampled_from([32, 64]),
    memory=st.one_of(st.none(), st.tuples(st.integers(0, 16), st.integers(0, 16))),
    adjustable=st.booleans(),
)


@bounded
@example(code=b"\x18" + bytes(7), index=0, patch=Patch(0))
@given(code=st.binary(max_size=64), index=st.integers(-1, 9), patch=patches)
def test_strange_instructions(code: bytes, index: int, patch: Patch) -> None:
    changed = bytearray(code)
    try:
        core_patch.apply(changed, index, patch)
    except RelocationError:
        assert changed == code
    else:
        assert len(changed) == len(code)
        touched = {at // 8 for at in range(len(code)) if changed[at] != code[at]}
        assert touched <= {index, index + 1}


@bounded
@given(code=st.binary(max_size=80).map(lambda raw: raw[: len(raw) // 8 * 8]))
def test_any_code_has_a_text(code: bytes) -> None:
    assert all(text and text.isprintable() for _, text in listing(code))


@bounded
@given(
    st.tuples(*[st.integers(0, 255), *[st.integers(0, 15)] * 2]), st.integers(-(2**15), 2**15 - 1)
)
def test_any_instruction_has_a_text(numbers: tuple[int, int, int], off: int) -> None:
    text = disassemble(Insn(*numbers, off=off, imm=off))
    assert text
    assert "None" not in text
