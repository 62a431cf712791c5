"""Resolve what an object expects from outside, and put the answers into its code."""

from __future__ import annotations

from bpfctl.asm.insn import BPF_CALL_IMM, SLOT_BYTES, unpack
from bpfctl.elf.externs import KCONFIG
from bpfctl.elf.spec import RelocKind
from bpfctl.errors import ExternError
from bpfctl.loader.extern_result import Externs, KernelType, Missing, Outcome
from bpfctl.loader.link_code import reachable
from bpfctl.plain import replace
from bpfctl.plain_tools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Final

    from bpfctl.elf.spec import ExternSpec, MapSpec, ObjectSpec, ProgramSpec
    from bpfctl.errors import VerifierError
    from bpfctl.linux.kconfig import KernelConfig
    from bpfctl.loader.kernel_btf import KernelBtf
    from bpfctl.loader.link_code import LinkedCode

# The immediate of a call to a function that this kernel does not have, its number added: no
# helper has it, so that the verifier refuses the call unless nothing leads to it (libbpf's number).
POISON_KFUNC: Final = 2002000000
# check_pseudo_btf_id(), kernel/bpf/verifier.c, Linux 5.10.
NO_ADDRESS: Final = "failed to find the address for kernel symbol"
_UNKNOWN: Final = Missing(
    "has no type in .kconfig or .ksyms",
    remedy="declare it with __kconfig or __ksym, compile with -g, or link the file that defines it",
    fatal=True,
)


def resolve(
    spec: ObjectSpec,
    programs: Iterable[ProgramSpec],
    kernel: KernelBtf,
    config: Callable[[], KernelConfig | None],
) -> Externs:
    """Find out what each extern of the object is on this kernel.

    Raises: ExternError with all that the programs need and this kernel does not have, at once;
    NotSupportedError when a type is needed and the kernel shows none.
    """
    if not spec.externs:
        return Externs()
    config = cache(config)  # a file is read once, for all externs
    outcomes = outcomes_of(spec, kernel, config)
    _refuse_missing(spec, programs, outcomes, config)
    found = (outcomes[one.name] for one in spec.externs if one.kind == "kfunc")
    modules = dict.fromkeys(one.module for one in found if isinstance(one, KernelType))
    return Externs(spec.externs, outcomes, tuple(one for one in modules if one is not None))


def outcomes_of(
    spec: ObjectSpec,
    kernel: KernelBtf,
    config: Callable[[], KernelConfig | None],
    virtual: Mapping[str, Callable[[], int]] | None = None,
    symbols: Callable[[Iterable[str]], dict[str, Outcome]] | None = None,
) -> dict[str, Outcome]:
    """What each extern of the object is on this kernel, by name; nothing is refused.

    `virtual` are the values that no file has and `symbols` finds those without a type: for other
    kernels than the running one, which is asked by default.
    """
    from bpfctl.loader.kconfig_values import kconfig_value
    from bpfctl.loader.kconfig_virtual import VIRTUAL
    from bpfctl.loader.ksyms import addresses, is_typed, kernel_type

    virtual = VIRTUAL if virtual is None else virtual
    symbols = symbols or addresses

    outcomes: dict[str, Outcome] = {}
    untyped = []
    for one in spec.externs:
        if one.kind == "unknown" or spec.btf is None:
            outcomes[one.name] = _UNKNOWN
        elif one.kind == "kconfig":
            outcomes[one.name] = kconfig_value(spec.btf, one, config, virtual)
        elif is_typed(spec.btf, one):
            outcomes[one.name] = kernel_type(spec.btf, one, kernel)
        else:
            untyped.append(one.name)
    return outcomes | symbols(untyped) if untyped else outcomes


def with_kconfig(spec: MapSpec, externs: Externs) -> MapSpec:
    """Fill the map of .kconfig in; any other map stays as it is."""
    if spec.section != KCONFIG:
        return spec
    return replace(spec, contents=externs.kconfig_data(spec.value_size))


# --- what is missing


def _refuse_missing(
    spec: ObjectSpec,
    programs: Iterable[ProgramSpec],
    outcomes: Mapping[str, Outcome],
    config: Callable[[], KernelConfig | None],
) -> None:
    used = users(spec, programs)
    missing = {
        one: outcome
        for one in spec.externs
        if isinstance(outcome := outcomes[one.name], Missing)
        and (outcome.fatal or not one.is_weak)
        and one.name in used
    }
    if missing:
        raise ExternError(
            [_words(one, why, used[one.name], config) for one, why in missing.items()]
        )


def users(spec: ObjectSpec, programs: Iterable[ProgramSpec]) -> dict[str, list[str]]:
    """The programs that refer to each extern, themselves or in a function they call."""
    found: dict[str, list[str]] = {}
    for program in programs:
        names = {
            reloc.target
            for function in reachable(spec, program.function)
            for reloc in function.relocs
            if reloc.kind is RelocKind.EXTERN
        }
        for name in names:
            found.setdefault(name, []).append(program.name)
    return found


def _words(
    one: ExternSpec,
    why: Missing,
    programs: list[str],
    config: Callable[[], KernelConfig | None],
) -> dict[str, object]:
    known = config() if why.option and one.kind != "kconfig" else None
    return {
        "setting": _setting(why.option or "", known) if known else None,
        "name": one.name,
        "kind": one.kind,
        "reason": why.reason,
        "option": why.option,
        "nearest": list(why.nearest),
        "remedy": why.remedy,
        "programs": programs,
    }


def _setting(option: str, config: KernelConfig) -> str | None:
    """What the kernel's configuration says of an option, in words that go on after its name."""
    if not option.startswith("CONFIG_"):
        return None
    value = config.get(option)
    if value == "m":
        return "which is a module here: it may have to be loaded"
    if value is None:
        return f"which is not set in {config.source}"
    return f"which is {value} here, so another version of the kernel has it"


def explain_extern(error: VerifierError, linked: LinkedCode, externs: Externs) -> None:
    """Tell an error what it has to do with an extern, if it has.

    The verifier may have met a call that was poisoned, because the function is weak and not there,
    or a variable that is in the kernel's types and not in its symbols.
    """
    if NO_ADDRESS in error.log:
        error.code = "kernel-variable-hidden"
        name = error.log.partition(NO_ADDRESS)[2].partition("'")[2].partition("'")[0]
        error.unresolved = f"the kernel tells no address of its variable {name}"
        error.remedy = "boot a kernel with CONFIG_KALLSYMS_ALL=y: others list no variables"
    if error.insn is None or error.insn >= len(linked.code) // SLOT_BYTES:
        return
    insn = unpack(linked.code, error.insn)
    number = insn.imm - POISON_KFUNC
    if insn.opcode != BPF_CALL_IMM or insn.src or not 0 <= number < len(externs.specs):
        return
    name = externs.specs[number].name
    why = externs.outcomes[name]
    error.code = "extern-unresolved"
    if isinstance(why, Missing):
        error.unresolved = f"it calls {name}(), which {why.reason}"
        error.evidence += [f"{name} comes with {why.option}"] if why.option else []
    error.remedy = f"guard the call: if (bpf_ksym_exists({name}))"
