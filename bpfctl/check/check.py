"""Will an object run on a kernel? Every thing it needs, found, guarded, missing or not to be told.

Nothing is loaded, and nothing here takes a privilege. What the loader decides is asked of the
loader's own functions; what only the verifier decides is not said.
"""

from __future__ import annotations

from functools import partial

from bpfctl.check import kinds
from bpfctl.check.code import ProgramCode
from bpfctl.check.externs import Externs
from bpfctl.check.finding import Finding, Kind, Report, State
from bpfctl.check.helpers import helper_findings, insn_findings
from bpfctl.check.needs import Needs, needs_of
from bpfctl.check.targets import targets
from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import BpfctlError, NotSupportedError
from bpfctl.kernel.flags import MapFlags
from bpfctl.loader.core import FittedCode
from bpfctl.loader.externs import users
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.struct_ops import kernel_ops, uses, with_members
from bpfctl.loader.support import chosen_programs, refuse_unknown
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpfctl.check.kernels import Target
    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.loader.struct_ops import KernelOps


class Subject(NamedTuple):
    """An object, and what it needs whatever the kernel is: read once for all kernels."""

    spec: ObjectSpec
    needs: Needs
    options: LoadOptions = LoadOptions()


def subject_of(spec: ObjectSpec, options: LoadOptions | None = None) -> Subject:
    """Find out what an object needs.

    Raises: NotFoundError for a program that is chosen and not there, ObjectFileError,
    RelocationError.
    """
    options = options or LoadOptions()
    refuse_unknown(spec)
    chosen_programs(spec, options)
    return Subject(spec, needs_of(spec, spec.programs), options)


def check(subject: Subject, target: Target) -> Report:
    """Check an object for one kernel.

    Raises: NotSupportedError, PathError and BtfError for types that cannot be read.
    """
    findings = tuple(_findings(subject, target))
    order = list(Kind)
    ranked = sorted(findings, key=lambda one: order.index(one.kind))
    return Report(subject.spec.path, target.name, str(target.age), tuple(ranked))


def _findings(subject: Subject, target: Target) -> Iterator[Finding]:
    spec, needs = subject.spec, subject.needs
    loaded: list[str] = []
    yield from _tried(partial(_loaded, subject, target, loaded))
    yield from kinds.program_types(spec.programs, loaded, target)
    yield from kinds.attach_types(spec.programs, loaded, target)
    yield from kinds.flags(spec.programs, loaded, target)
    yield from kinds.map_types(spec, target)
    yield from _tried(partial(kinds.map_sizes, spec, subject.options))
    yield from targets(spec.programs, loaded, target)
    yield from insn_findings(spec, needs, loaded, target)
    yield from _tried(partial(_code, subject, target, loaded))


def _loaded(subject: Subject, target: Target, loaded: list[str]) -> Iterator[Finding]:
    """Find out which programs a load would load, and check the structs they are members of."""
    spec = subject.spec
    chosen = chosen_programs(spec, subject.options)
    loaded += [one.name for one in chosen]
    names = [one.name for one in spec.maps if one.struct_ops]
    try:
        ops = kernel_ops(spec, target.types)
    except NotSupportedError as err:
        why = "; ".join((err.message, *err.evidence))
        yield Finding(Kind.STRUCT_OPS, ", ".join(names), State.MISSING, why)
        return
    loaded[:] = [one.name for one in with_members(spec, ops, chosen, subject.options)]
    yield from _idle(spec, ops, loaded)
    linked = {one.name for one in spec.maps if one.flags & MapFlags.LINK}
    for name, one in ops.items():
        lacking = f"its struct has no member for {', '.join(one.lacking)}" if one.lacking else ""
        state = State.GUARDED if lacking else State.FOUND
        if name in linked and not target.has_struct("bpf_struct_ops_link"):
            state, lacking = State.MISSING, "its types have no bpf_struct_ops_link: it has no links"
        yield Finding(Kind.STRUCT_OPS, f"{name} ({one.name})", state, lacking)


def _idle(spec: ObjectSpec, ops: dict[str, KernelOps], loaded: list[str]) -> Iterator[Finding]:
    """Programs that would be members of a struct, if anything said of which."""
    used = uses(spec, ops)
    for one in spec.programs:
        if one.section.kind is AttachKind.STRUCT_OPS and one.name not in used:
            why, who = "nothing says which function of which struct it is to be", (one.name,)
            if one.name in loaded:
                yield Finding(Kind.STRUCT_OPS, one.name, State.MISSING, why, who)


def _code(subject: Subject, target: Target, loaded: list[str]) -> Iterator[Finding]:
    """Check what is in the code: helpers, externs, CO-RE."""
    spec, needs = subject.spec, subject.needs
    externs = Externs(spec, target)
    fitted = FittedCode(spec.btf, target.types)
    codes = {one.name: ProgramCode(spec, one, fitted, externs) for one in spec.programs}
    yield from helper_findings(needs, codes, loaded, target)
    if spec.externs:
        used: dict[str, str] = {}
        for name in loaded:
            for extern, at in codes[name].absent_uses().items():
                used.setdefault(extern, codes[name].where(at))
        yield from externs.findings(users(spec, spec.programs), loaded, used)
    if any(one.core_relos for one in spec.functions.values()):
        from bpfctl.check.core import core_findings

        yield from core_findings(spec, needs, codes, loaded, target)


def _tried(step: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What the loader would refuse is a finding too."""
    try:
        yield from step()
    except NotSupportedError:
        raise
    except BpfctlError as err:
        words = "; ".join((err.message, *err.evidence))
        name = f"program {err.program}" if err.program else "the object"
        yield Finding(Kind.OBJECT, name, State.MISSING, words)
