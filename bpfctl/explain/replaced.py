"""A program that is to replace a function of another program (freplace), and does not fit it."""

from __future__ import annotations

import errno

from bpfctl.btf.types import Kind
from bpfctl.elf.section_def import AttachKind
from bpfctl.elf.spec import ObjectSpec
from bpfctl.explain.explanation import Explanation
from bpfctl.loader.options import LoadOptions
from bpfctl.objects.replace_causes import differing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import ProgramSpec
    from bpfctl.explain.failure import Failure

STATIC: Final = "freplace-static-function"
DIFFERS: Final = "freplace-prototype-differs"
_EVERY: Final = ""  # the wish for all programs that have none of their own


def prototypes(failure: Failure) -> Explanation | None:
    """Compare the function in the object with the one in the loaded program."""
    program, spec = failure.program, failure.fact(ObjectSpec)
    is_ours = program is not None and program.section.kind is AttachKind.EXT
    if failure.errno != errno.EINVAL or not is_ours or program is None or spec is None:
        return None
    by, replaced = _own(program, spec), _target(program, failure.fact(LoadOptions))
    cause = differing(replaced, by) if by and replaced else None
    if cause is None:
        return None
    if cause.code == STATIC:
        return Explanation(STATIC, cause.headline, cause.evidence, cause.remedy)
    return Explanation(DIFFERS, cause.headline, cause.evidence, cause.remedy)


def _own(program: ProgramSpec, spec: ObjectSpec) -> tuple[Btf, int] | None:
    info = spec.functions[program.function].func_info
    return (spec.btf, info[0].type_id) if spec.btf and info else None


def _target(program: ProgramSpec, options: LoadOptions | None) -> tuple[Btf, int] | None:
    """The function that was chosen, in the types of its program: that may be gone by now."""
    from bpfctl.kernel.info import prog_info
    from bpfctl.objects.btf import loaded_btf
    from bpfctl.objects.select import find_one

    wishes = options.targets if options else {}
    wish = wishes.get(program.name) or wishes.get(_EVERY)
    if wish is None or wish.program is None:
        return None
    with find_one(wish.program) as fd:
        btf_id = prog_info(fd).number("btf_id")
    btf = loaded_btf(btf_id) if btf_id else None
    number = btf.find(wish.function or program.section.target or "", Kind.FUNC) if btf else None
    return (btf, number) if btf and number else None
