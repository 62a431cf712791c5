"""What the verifiers of several kernels wrote about the programs of tests/bpf/verifier_*.bpf.c.

Usage, on a kernel: python -m tests.tools.verifier_logs FILE [KERNEL]. The file is then kept as
tests/data/verifier/NAME.log, for tests that have no such kernel. Each program has a line
"=== NAME OUTCOME MISSING" in it, and its log behind that. What objects in the same words as KERNEL
is left out: 6.18 and 7.3 were made beside 6.12.
"""

from __future__ import annotations

import errno
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bpfctl.errors import VerifierError
from bpfctl.loader.verifier_log import objections

if TYPE_CHECKING:
    from bpfctl.errors import BpfctlError

DATA: Final = Path(__file__).resolve().parents[1] / "data"
FOLDER: Final = DATA / "verifier"
KERNELS: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.log")))
NEWEST: Final = "newest"
NO_OBJECTION, MISSING_EXTERN = ENDINGS = ("accepted", "extern")
OTHER: Final = "other"  # not the verifier: these are not kept
# Linux 7.3 explains itself at length: kept whole for these, else cut short.
REPORTED: Final = frozenset(
    {"null_map_value", "packet_unchecked", "reference_leaked", "code_unreachable", "index_64bit"}
)
_HEAD: Final = re.compile(r"^=== (\w+) (\S+) (\S+)\n", re.MULTILINE)
_NUMBER: Final = re.compile(r"\b(?:0x)?[0-9a-f]+\b")
_REPORT: Final = re.compile(
    r"\nVerification failed:.*?(?=\n(?:processed \d|BPF_EXIT|tail_call would))", re.DOTALL
)


class Outcome(NamedTuple):
    """How a load ended: "EACCES" and its like, "accepted", or "extern" for what is not there.

    `missing` bytes of the log are lost; None: the kernel does not say how many.
    """

    result: str
    missing: int | None
    log: str

    @property
    def number(self) -> int:
        """The errno."""
        return int(getattr(errno, self.result))


class Case(NamedTuple):
    """What is to be said of a program on a kernel; see tests/data/verifier/cases.toml."""

    code: str
    line: str = ""
    origin: str = ""


def outcome(error: BpfctlError | None) -> Outcome:
    """Put the end of a load into a form that can be kept."""
    if isinstance(error, VerifierError):
        return Outcome(error.errno_name, error.missing_bytes, error.log)
    if error is not None and error.code != "externs-unresolved":
        return Outcome(OTHER, 0, str(error))
    return Outcome(NO_OBJECTION if error is None else MISSING_EXTERN, 0, "")


def said(error: VerifierError, wanted: Case) -> Case:
    """Return what an error says; a line that has what is `wanted` of it stands as that."""
    origin = error.rejection.origin if error.rejection else None
    line = origin.source.text.strip() if origin and origin.source else ""
    return Case(
        error.code.removeprefix("verifier-"),
        _part(wanted.line, error.source or ""),
        _part(wanted.origin, line) if wanted.origin else "",
    )


def _part(wanted: str, line: str) -> str:
    return wanted if wanted and wanted in line else line


def read(kernel: str) -> dict[str, Outcome]:
    """Return what a kernel wrote, by the name of the program."""
    parts = _HEAD.split((FOLDER / f"{kernel}.log").read_text())[1:]
    return {
        name: Outcome(result, int(missing), log)
        for name, result, missing, log in zip(*(iter(parts),) * 4, strict=True)
    }


def text(outcomes: dict[str, Outcome]) -> str:
    """Write outcomes in the form that `read` takes."""
    pieces = []
    for name, one in sorted(outcomes.items()):
        if one.result == OTHER or one.missing is None:
            continue  # a log that lost its end, which has the reason
        log = one.log if name in REPORTED else _REPORT.sub("", one.log)
        log = log if log.endswith("\n") or not log else log + "\n"
        pieces.append(f"=== {name} {one.result} {one.missing}\n{log}")
    return "".join(pieces)


def without(outcomes: dict[str, Outcome], other: dict[str, Outcome]) -> dict[str, Outcome]:
    """Leave out what ended like others, in the same words; numbers and addresses apart."""
    return {
        name: one
        for name, one in outcomes.items()
        if name in REPORTED or name not in other or _words(one) != _words(other[name])
    }


def _words(one: Outcome) -> tuple[str, list[str]]:
    return one.result, [_NUMBER.sub("", line) for line in objections(one.log)]


def cases(kernel: str) -> dict[str, Case]:
    """Return what is to be said on a kernel, or on those between it and the next older one."""
    tables = tomllib.loads((FOLDER / "cases.toml").read_text())
    found = {name: Case(*words) for name, words in tables.pop(NEWEST).items()}
    for older in sorted(tables, key=_version, reverse=True):
        if _version(older) < _version(kernel):
            break
        for name, words in tables[older].items():
            changed = [words] if isinstance(words, str) else words
            kept = () if changed[0] in ENDINGS else found[name][len(changed) :]
            found[name] = Case(*changed, *kept)
    return found


def provoked() -> set[str]:
    """Return the codes of the rules that the programs break, on one kernel or another."""
    codes = {case.code for kernel in KERNELS for case in cases(kernel).values()}
    return {f"verifier-{code}" for code in codes - set(ENDINGS)}


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def main(arguments: list[str]) -> int:
    """Load all programs, and write what came of it."""
    from tests.kernel.rejections import MILLION, load_all, load_million

    found = load_all(lambda _, error: outcome(error)) | {MILLION: outcome(load_million())}
    for like in arguments[1:]:
        found = without(found, read(like))
    Path(arguments[0]).write_text(text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
