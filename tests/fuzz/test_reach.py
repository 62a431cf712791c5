"""Any bytes for code: the walk ends, and finds what a program reaches or says all of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bpfctl.asm.constants import Absent, Place, Value
from bpfctl.asm.insn import Insn
from bpfctl.asm.reach import Code, reach

OPCODES = (
    *(0x05, 0x06, 0x15, 0x1D, 0x55, 0x16, 0xA5, 0xE5, 0x85, 0x95, 0x18, 0xB7, 0xBF, 0xB4, 0x07),
    *(0x61, 0x79, 0x7B, 0x63, 0xDB, 0x20, 0x0F, 0x67, 0xC7, 0x0D),
)
INSNS = st.builds(
    Insn,
    st.one_of(st.sampled_from(OPCODES), st.integers(0, 255)),
    st.integers(0, 15),
    st.integers(0, 15),
    st.integers(-6, 6),
    st.integers(-6, 6),
)
VALUES: st.SearchStrategy[Value] = st.sampled_from(
    (None, 0, 1, 2**64 - 1, Place(), Place("c", -4), Absent("x"))
)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(INSNS, min_size=1, max_size=40),
    st.dictionaries(st.integers(0, 40), VALUES),
    st.sets(st.integers(0, 39)),
)
def test_any_code(insns: list[Insn], loads: dict[int, Value], starts: set[int]) -> None:
    code = b"".join(one.pack() for one in insns)
    found = reach(Code(code, starts=(0, *sorted(starts)), loads=loads, contents={"c": b"\1\2\3\4"}))
    assert 0 in found.insns
    assert set(found.insns) <= set(range(len(insns)))
    assert set(found.absent) <= set(found.insns)
