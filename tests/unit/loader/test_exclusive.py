"""The hash of a program, as the kernel computes it."""

from __future__ import annotations

import hashlib

import pytest

from bpfctl.asm.insn import BPF_CALL_IMM, Insn, encode, ld_imm64
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import ExternSpec, MapSpec, ProgramSpec, Reloc, RelocKind
from bpfctl.errors import NotFoundError, UsageError
from bpfctl.loader.attach_target import Target
from bpfctl.loader.exclusive import owners, program_hash
from bpfctl.loader.extern_result import Externs, KernelType, Outcome, Value
from bpfctl.loader.link_code import LinkedCode
from bpfctl.loader.prepare import Prepared
from tests.unit.loader.objects import EXIT, object_of
from tests.unit.loader.test_externs import MODULE

MAP, DATA, EXTERN = RelocKind.MAP, RelocKind.DATA, RelocKind.EXTERN


def prepared(insns: list[Insn], *relocs: Reloc) -> Prepared:
    code = LinkedCode(bytearray(encode(insns) + EXIT), (), tuple((r.insn_index, r) for r in relocs))
    names = {one: "a map" for one in relocs if one.kind is not EXTERN}
    program = ProgramSpec("main", parse_section_name("xdp"), "xdp:main")
    return Prepared(program, code, names, Target(), {})


def externs(kind: str, outcome: Outcome) -> Externs:
    return Externs((ExternSpec("it", kind, offset=12),), {"it": outcome}, (MODULE,))


def digest(*insns: Insn) -> bytes:
    return hashlib.sha256(encode(list(insns)) + EXIT).digest()


LOAD = list(ld_imm64(1, 0))


@pytest.mark.parametrize(
    ("one", "known", "expected"),
    [
        pytest.param(
            prepared(LOAD, Reloc(0, MAP, "m")), Externs(), digest(*ld_imm64(1, 0, src=1)), id="map"
        ),
        pytest.param(
            prepared(LOAD, Reloc(0, DATA, ".data", 40)),
            Externs(),
            digest(*ld_imm64(1, 0, src=2)),
            id="data, without its offset",
        ),
        pytest.param(
            prepared(LOAD, Reloc(0, EXTERN, "it")),
            externs("kconfig", Value(b"")),
            digest(*ld_imm64(1, 0, src=2)),
            id="configuration",
        ),
        pytest.param(
            prepared(LOAD, Reloc(0, EXTERN, "it")),
            externs("ksym", KernelType(7)),
            digest(*ld_imm64(1, 7, src=3)),
            id="variable of the kernel",
        ),
        pytest.param(
            prepared([Insn(BPF_CALL_IMM)], Reloc(0, EXTERN, "it")),
            externs("kfunc", KernelType(7, MODULE)),
            digest(Insn(BPF_CALL_IMM, src=2, off=1, imm=7)),
            id="function of a module",
        ),
    ],
)
def test_hashes(one: Prepared, known: Externs, expected: bytes) -> None:
    before = bytes(one.linked.code)
    assert program_hash(one, known) == expected
    assert one.linked.code == before


def test_code_that_is_not_known_before_the_load() -> None:
    one = prepared(LOAD, Reloc(0, EXTERN, "it"))
    with pytest.raises(UsageError, match="main refers to a variable of a module"):
        program_hash(one, externs("ksym", KernelType(7, MODULE)))


def test_owners_by_map() -> None:
    spec, one = object_of(maps=(MapSpec("counts", 1, 4, 4, 1),)), prepared([])
    assert owners(spec, {"counts": "main"}, [one], Externs()) == {"counts": digest()}
    assert owners(spec, {}, [one], Externs()) == {}
    with pytest.raises(NotFoundError, match="no map is called other"):
        owners(spec, {"other": "main"}, [one], Externs())
    with pytest.raises(NotFoundError, match="no program gone is loaded, which map counts"):
        owners(spec, {"counts": "gone"}, [one], Externs())
