"""What is known of a program that the verifier refused: plain data, for errors and their words."""

from __future__ import annotations

from bisect import bisect_right

from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SourceLine(NamedTuple):
    """Where an instruction comes from; `text` is the line itself, as the compiler kept it."""

    file: str
    line: int
    column: int
    text: str


class ProgramCode(NamedTuple):
    """The code the kernel saw, and what the object file tells of it.

    `lines` has the source lines by the first instruction of each, ascending, `functions` the
    functions likewise, `maps` the name of the map that an ld_imm64 refers to.
    """

    insns: bytes
    prog_type: int = 0
    lines: tuple[tuple[int, SourceLine], ...] = ()
    functions: tuple[tuple[int, str], ...] = ()
    maps: tuple[tuple[int, str], ...] = ()

    def source(self, insn: int) -> SourceLine | None:
        """The source line of an instruction; None where the object tells none.

        Instructions that clang gives line 0 belong to no line: the one before counts for them.
        """
        at = bisect_right(self.lines, insn, key=_start) - 1
        while at >= 0 and not self.lines[at][1].line:
            at -= 1
        return self.lines[at][1] if at >= 0 else None

    def function(self, insn: int) -> str:
        """The name of the function an instruction is in; "" when unknown."""
        at = bisect_right(self.functions, insn, key=_start) - 1
        return self.functions[at][1] if at >= 0 else ""


def _start(entry: tuple[int, object]) -> int:
    return entry[0]


class Place(NamedTuple):
    """One instruction on the way: `text` is what it does, in the verifier's words or ours."""

    insn: int
    text: str
    source: SourceLine | None = None

    def as_data(self) -> dict[str, Any]:
        """Fields for machine-readable output."""
        return {"insn": self.insn, "text": self.text, **_source(self.source)}


class HotLine(NamedTuple):
    """A source line and how many instructions of it the verifier walked through.

    `share` is their part of all that are in the log, 0 to 1.
    """

    insns: int
    share: float
    source: SourceLine


class KernelReport(NamedTuple):
    """The report that Linux 7.3 adds, as it is in `text`; the parts are lines of it."""

    text: str
    headline: str = ""
    reason: str = ""
    suggestion: str = ""


class Rejection(NamedTuple):
    """Why a program was refused, as far as its log and its code tell.

    `message` is what the kernel objects to, its own lines. `registers` are those known before the
    instruction, in the kernel's words; `register` the number of the one concerned. `origin` is
    where its value comes from, `path` the last steps of interest; `untested`: no branch on the way
    tested what had to be tested. `who_may` are section names of program types that may do what
    this one may not. `evidence` has all that in words.
    """

    message: str
    insn: int | None = None
    source: SourceLine | None = None
    access: str = ""
    register: int | None = None
    registers: tuple[tuple[str, str], ...] = ()
    origin: Place | None = None
    path: tuple[Place, ...] = ()
    untested: bool = False
    change: str = ""
    hot: tuple[HotLine, ...] = ()
    who_may: tuple[str, ...] = ()
    kernel: KernelReport | None = None
    evidence: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Fields for machine-readable output."""
        return {
            "kernel_message": self.message,
            "register": None if self.register is None else f"R{self.register}",
            "registers": dict(self.registers),
            "origin": self.origin.as_data() if self.origin else None,
            "path": [one.as_data() for one in self.path],
            "hot_lines": [
                {"insns": one.insns, "share": round(one.share, 3), **_source(one.source)}
                for one in self.hot
            ],
            "program_types": list(self.who_may),
            "kernel_report": self.kernel.text if self.kernel else None,
        }


def _source(source: SourceLine | None) -> dict[str, Any]:
    if source is None:
        return {"file": None, "line": None, "source": None}
    return {"file": source.file, "line": source.line, "source": source.text.strip()}
