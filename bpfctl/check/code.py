"""Look at the code of programs as one kernel would: which instructions it reaches.

The loader's own steps fit and link the code; nothing is loaded.
"""

from __future__ import annotations

from bisect import bisect_right

from bpfctl.asm.constants import Absent, Place, Value
from bpfctl.asm.insn import (
    BPF_CALL_IMM,
    BPF_LD_IMM64,
    BPF_PSEUDO_KFUNC_CALL,
    SLOT_BYTES,
    Insn,
    unpack,
    write,
)
from bpfctl.asm.reach import Code, Reached, reach
from bpfctl.check.needs import calls_in
from bpfctl.elf.spec import RelocKind
from bpfctl.loader.code_info import source_lines
from bpfctl.loader.link_code import link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.core_fixup import CoreFixup
    from bpfctl.check.externs import Externs
    from bpfctl.elf.spec import ObjectSpec, ProgramSpec, Reloc
    from bpfctl.loader.core import FittedCode
    from bpfctl.loader.link_code import LinkedCode


class ProgramCode:
    """One program, linked and fitted to a kernel; it is walked when somebody asks.

    Raises at once: RelocationError.
    """

    def __init__(
        self, spec: ObjectSpec, program: ProgramSpec, fitted: FittedCode, externs: Externs
    ) -> None:
        self.spec, self.program, self.externs = spec, program, externs
        self.linked: LinkedCode = link(spec, program.function, fitted.code)
        self.poisoned: dict[int, CoreFixup] = {
            one.insn_offset + at: fixup
            for one in self.linked.placed
            for at, fixup in fitted.poisoned(one.function).items()
        }
        self._reached: Reached | None = None

    @property
    def section(self) -> str:
        """The name of its sort of section, without a target."""
        return self.program.section.definition.name

    @property
    def reached(self) -> Reached:
        """The instructions that control can get to."""
        if self._reached is None:
            self._reached = reach(self._code())
        return self._reached

    def helper_calls(self) -> dict[int, int]:
        """The numbers of the helpers it calls, by instruction."""
        linked = {at for at, reloc in self.linked.relocs if reloc.kind is RelocKind.EXTERN}
        return {at: number for at, number in calls_in(self.linked.code) if at not in linked}

    def absent_uses(self) -> dict[str, int]:
        """The externs that are not there and that it calls, reads or writes, and where."""
        found: dict[str, int] = {}
        absent = [
            (at, reloc.target)
            for at, reloc in self.linked.relocs
            if reloc.kind is RelocKind.EXTERN and self.externs.is_absent(reloc.target)
        ]
        for at, name in absent:
            if self.linked.code[at * SLOT_BYTES] != BPF_LD_IMM64 and at in self.reached.insns:
                found.setdefault(name, at)
        if absent:
            for at, name in self.reached.absent.items():
                found.setdefault(name, at)
        return found

    def where(self, insn: int) -> str:
        """The place of an instruction in words: "count.bpf.c:5", or its number."""
        btf = self.spec.btf
        place = f"insn {insn} of {self.program.name}"
        lines = source_lines(self.linked.placed, btf) if btf else ()
        at = bisect_right([first for first, _ in lines], insn)
        return f"{lines[at - 1][1].file}:{lines[at - 1][1].line} ({place})" if at else place

    # --- what the walk needs to know

    def _code(self) -> Code:
        placed = self.linked.placed
        relocs = self.linked.relocs
        apart = (one for one in placed[1:] if one.function.is_global and one.function.func_info)
        handlers = {one.function.exception_callback for one in placed}
        return Code(
            self._readable(),
            starts=tuple(one.insn_offset for one in placed),
            apart=frozenset(one.insn_offset for one in apart if not one.function.is_hidden),
            eager=not self.externs.target.has_member("bpf_func_info_aux", "called"),
            loads={at: self._loaded(reloc) for at, reloc in relocs},
            contents=self._contents(),
            roots=tuple(one.insn_offset for one in placed if one.function.key in handlers),
            unknown=frozenset(self.poisoned),
        )

    def _readable(self) -> bytes:
        """The code with what was poisoned as it was, and calls of externs as the kernel's."""
        code = bytearray(self.linked.code)
        starts = [one.insn_offset for one in self.linked.placed]
        for at in self.poisoned:
            one = self.linked.placed[bisect_right(starts, at) - 1]
            was = unpack(one.function.code, at - one.insn_offset)
            write(code, at, was)
            if was.is_ld_imm64:
                write(code, at + 1, Insn(0))
        for at, reloc in self.linked.relocs:
            if reloc.kind is RelocKind.EXTERN and code[at * SLOT_BYTES] == BPF_CALL_IMM:
                write(code, at, Insn(BPF_CALL_IMM, src=BPF_PSEUDO_KFUNC_CALL))
        return bytes(code)

    def _loaded(self, reloc: Reloc) -> Value:
        """What an ld_imm64 becomes."""
        if reloc.kind is RelocKind.DATA:
            return Place(reloc.target, reloc.offset)
        if reloc.kind is not RelocKind.EXTERN:
            return Place()
        name = reloc.target
        if any(one.name == name and one.kind == "kconfig" for one in self.spec.externs):
            return Place(_extern(name))
        if name in self.externs.unknown or self.externs.is_variable(name):
            return None  # the verifier does not take every variable's address for no null pointer
        return Absent(name) if self.externs.is_absent(name) else Place()

    def _contents(self) -> dict[str, bytes]:
        """What never changes: constants, and the configuration (since Linux 5.5)."""
        known = {
            one.section: one.contents
            for one in self.spec.maps
            if one.section and one.read_only and one.contents is not None
        }
        for one in self.spec.externs:
            value = self.externs.value(one.name) if one.kind == "kconfig" else None
            if value is not None:
                known[_extern(one.name)] = value
        return known


def _extern(name: str) -> str:
    return f"extern {name}"
