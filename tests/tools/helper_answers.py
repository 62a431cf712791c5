"""Which helpers programs of each section may call: asked of kernels, and written as a table.

As root, on each kernel of the matrix: `python -m tests.tools.helper_answers ask FILE`. Then
`python -m tests.tools.helper_answers write 5.10=FILE 6.1=FILE ...` makes of the files the table
that `bpfctl.features.allowed` reads.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bpfctl.elf.section_def import AttachKind
from bpfctl.elf.section_table import DEFINITIONS
from bpfctl.features.helpers import judge_call
from bpfctl.features.prober import CALL, Prober
from bpfctl.features.programs import TARGETS
from bpfctl.features.verdict import Answer
from bpfctl.kernel.flags import ProgFlags
from bpfctl.kernel.uapi import AttachType
from bpfctl.kernel.uapi_helpers import HelperId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.elf.section_def import SectionDef

OUTPUT: Final = Path(__file__).parents[2] / "bpfctl" / "data" / "helpers.txt"
HEAD: Final = """\
# Helper functions, by number, that programs of these sections may not call, as kernels answered.
# Made by tests/tools/helper_answers.py. A section has no line for kernels on which none loaded.
"""
# What they are attached to decides about these: no section stands for all of them.
LEFT_OUT: Final = frozenset({AttachKind.EXT, AttachKind.STRUCT_OPS})
# Programs of these get some helpers by the hook or the iterator that they are attached to
# (bpf_lsm_func_proto() in kernel/bpf/bpf_lsm.c, get_func_proto of struct bpf_iter_reg).
TARGETED: Final = ("lsm", "iter")
BY_TARGET: Final = {int(HelperId.setsockopt), int(HelperId.getsockopt)}
NO_HELPER: Final = 9999
# Functions and tracepoints whose programs may sleep.
_SLEEPY: Final[dict[AttachType, tuple[str, ...]]] = {
    AttachType.TRACE_RAW_TP: ("btf_trace_sys_enter",),
    AttachType.TRACE_FENTRY: ("bpf_modify_return_test",),
    AttachType.TRACE_FEXIT: ("bpf_modify_return_test",),
    AttachType.TRACE_FSESSION: ("bpf_modify_return_test",),
}


def ask() -> dict[str, dict[str, list[int]]]:
    """Ask about each helper in a program of each section; those that do not load are left out."""
    with Prober() as prober:
        found = {
            one.name: answers_of(prober, one) for one in DEFINITIONS if one.kind not in LEFT_OUT
        }
    return {name: answers for name, answers in found.items() if answers}


def answers_of(prober: Prober, section: SectionDef) -> dict[str, list[int]]:
    """What programs of a section may call ("yes"), may not, and may for some targets."""
    targets: tuple[str, ...] = ()
    if section.btf_target and section.attach_type is not None:
        known = _SLEEPY if section.sleepable else {}
        targets = known.get(section.attach_type) or TARGETS.get(section.attach_type, ())
    code = bytearray(CALL)
    request = prober.request(
        section.prog_type,
        code,
        attach_type=section.attach_type,
        btf_id=prober.target_id(targets),
        flags=(ProgFlags.SLEEPABLE if section.sleepable else 0)
        | (ProgFlags.XDP_HAS_FRAGS if section.frags else 0),
    )
    if (
        judge_call(*prober.offer_call(request, code, 999), targeted=False)
        is not Answer.NOT_AVAILABLE
    ):
        return {}
    names = {Answer.AVAILABLE: "yes", Answer.NOT_AVAILABLE: "no", Answer.UNKNOWN: "depends"}
    answers: dict[str, list[int]] = {word: [] for word in names.values()}
    for helper in HelperId:
        if helper:
            answer = judge_call(*prober.offer_call(request, code, helper), targeted=bool(targets))
            answers[names[answer]].append(int(helper))
    return answers


def table(answers: dict[str, dict[str, dict[str, list[int]]]]) -> str:
    """The text of the table, of what each kernel answered; sections alike share their lines.

    A refusal counts where other programs of that kernel may call the helper: then no option was
    missing. What depends on the function that a program is attached to is no refusal.
    """
    groups: dict[str, list[str]] = {}
    for one in DEFINITIONS:
        lines = [
            f"  {kernel} {_ranges(sorted(_refused(found, one.name)))}\n"
            for kernel, found in answers.items()
            if one.name in found
        ]
        if lines:
            groups.setdefault("".join(lines), []).append(one.name)
    return HEAD + "".join(f"\n{' '.join(names)}\n{text}" for text, names in groups.items())


def _refused(found: dict[str, dict[str, list[int]]], name: str) -> set[int]:
    called = {number for one in found.values() for number in one["yes"]}
    depends = BY_TARGET if name.startswith(TARGETED) else set()
    return (set(found[name]["no"]) & called) - depends


def _ranges(numbers: list[int]) -> str:
    """Numbers as words: "1-3 7"."""
    words: list[str] = []
    for number in numbers:
        first, _, last = words[-1].partition("-") if words else ("", "", "")
        if words and int(last or first) == number - 1:
            words[-1] = f"{first}-{number}"
        else:
            words.append(str(number))
    return " ".join(words)


def main(words: Sequence[str]) -> None:
    """Ask, or write the table."""
    if words[0] == "ask":
        Path(words[1]).write_text(json.dumps(ask()))
        return
    files = dict(word.split("=", 1) for word in words[1:])
    answers = {kernel: json.loads(Path(path).read_text()) for kernel, path in files.items()}
    OUTPUT.write_text(table(answers))


if __name__ == "__main__":
    main(sys.argv[1:])
