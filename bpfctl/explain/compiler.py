"""What a compiler, or the way it was called, left out of an object.

Sources: LLVM's release notes and lib/Target/BPF/BTFDebug.cpp. .BTF and .BTF.ext come since clang 8,
variables and sections since 9, the linkage of functions and CO-RE since 10.
"""

from __future__ import annotations

import re

from bpfctl.elf.spec import ObjectSpec
from bpfctl.errors import VerifierError
from bpfctl.explain.explanation import Explanation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.explain.failure import Failure

CODE: Final = "object-without-btf"
# Words of kernel/bpf/verifier.c and kernel/bpf/btf.c, Linux 5.10 to 7.3.
_WANTED: Final = re.compile(
    r"Program extension requires BTF|(?:has to|must) have BTF|need valid BTF|"
    r"missing btf func_info|requires BTF|without BTF|does not have BTF"
)


def types_missing(failure: Failure) -> Explanation | None:
    """Confirm that the kernel asks for types of a program that its object does not have."""
    log = failure.error.log if isinstance(failure.error, VerifierError) else ""
    words = _WANTED.search(log)
    spec, program = failure.fact(ObjectSpec), failure.program
    if words is None or spec is None or program is None:
        return None
    lacking = _lacking(spec, program.function)
    if lacking is None:
        return None
    line = next(line for line in log.splitlines() if words[0] in line)
    return Explanation(
        CODE,
        "the kernel wants type information (BTF) that the object does not have",
        (lacking, f"the kernel says: {line}"),
        "compile with -g, and with clang 10 or later (gcc 12 or later: -gbtf)",
    )


def no_source_lines(error: VerifierError, spec: ObjectSpec) -> str | None:
    """Say why a rejection is shown without source lines; None where it has them, or no place."""
    if error.file is not None or error.insn is None:
        return None
    program = next((one for one in spec.programs if one.name == error.program), None)
    if program is None or (spec.btf and spec.functions[program.function].line_info):
        return None
    return (
        "no source lines: the object has no line information; compile with -g, and with clang 8 or "
        "later"
    )


def _lacking(spec: ObjectSpec, function: str) -> str | None:
    if spec.btf is None:
        return "there is no section .BTF"
    if not spec.functions[function].func_info:
        return "section .BTF.ext is not there, or does not describe the function"
    return None
