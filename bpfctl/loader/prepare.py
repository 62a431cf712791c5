"""A program as far as it can be made ready without creating anything."""

from __future__ import annotations

from bpfctl.elf.section_def import AttachKind
from bpfctl.elf.spec import RelocKind
from bpfctl.errors import BpfctlError
from bpfctl.kernel.flags import ProgFlags
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.loader.code_info import func_info, line_info
from bpfctl.loader.link_code import LinkedCode, link
from bpfctl.loader.relocs import referenced_maps, set_map_fds
from bpfctl.loader.verifier import ProgLoad
from bpfctl.plain_tools import cache
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.core_fixup import CoreFixup
    from bpfctl.elf.sections import SectionName
    from bpfctl.elf.spec import ObjectSpec, ProgramSpec, Reloc
    from bpfctl.errors import VerifierError
    from bpfctl.loader.attach_target import Target
    from bpfctl.loader.core import FittedCode
    from bpfctl.loader.extern_result import Bound
    from bpfctl.loader.options import LoadOptions
    from bpfctl.loader.program_target import Targets
    from bpfctl.rejected import ProgramCode


class Prepared(NamedTuple):
    """Linked and fitted code that only lacks the descriptors of its maps.

    `map_names` tells the map behind each reference, `poisoned` the instructions that nothing in
    this kernel fits, by their index in the linked code.
    """

    spec: ProgramSpec
    linked: LinkedCode
    map_names: dict[Reloc, str]
    target: Target
    poisoned: dict[int, CoreFixup]


def prepare(
    spec: ObjectSpec, program: ProgramSpec, fitted: FittedCode, targets: Targets
) -> Prepared:
    """Link a program's code, fit it to this kernel and look its target up.

    Raises: RelocationError, NotYetError, NotFoundError, NotSupportedError.
    """
    try:
        linked = link(spec, program.function, fitted.code)
        poisoned = {
            one.insn_offset + index: fixup
            for one in linked.placed
            for index, fixup in fitted.poisoned(one.function).items()
        }
        names = referenced_maps(linked, spec.maps)
        return Prepared(program, linked, names, targets.of(program), poisoned)
    except BpfctlError as err:
        err.within(program=program.name)
        raise


def request(
    spec: ObjectSpec,
    prepared: Prepared,
    bound: Bound,
    btf_fd: int,
    options: LoadOptions,
) -> ProgLoad:
    """What to ask the kernel for, now that each map has a descriptor."""
    section = prepared.spec.section
    set_map_fds(prepared.linked, prepared.map_names, bound.map_fds)
    if any(reloc.kind is RelocKind.EXTERN for _, reloc in prepared.linked.relocs):
        from bpfctl.loader.extern_code import set_externs

        set_externs(prepared.linked, bound)
    placed = prepared.linked.placed
    functions = func_info(placed) if btf_fd else b""
    return ProgLoad(
        name=prepared.spec.name,
        prog_type=int(section.prog_type),
        insns=bytes(prepared.linked.code),
        license=spec.license,
        expected_attach_type=_attach_type(section, prepared.target),
        prog_flags=_flags(section, options),
        attach_btf_id=prepared.target.btf_id,
        attach_prog_fd=prepared.target.prog_fd,
        attach_btf_obj_fd=prepared.target.btf_obj_fd,
        prog_ifindex=options.ifindex if _is_for_device(section, options) else 0,
        kern_version=_kernel_version(spec, section),
        fd_array=bound.fd_array,
        prog_btf_fd=btf_fd if functions else 0,
        func_info=functions,
        line_info=line_info(placed) if functions else b"",
    )


def _attach_type(section: SectionName, target: Target) -> int:
    """What a program says at load; static probes are many places where the kernel can (6.6)."""
    if section.kind is AttachKind.USDT and _has_uprobe_multi():
        return AttachType.TRACE_UPROBE_MULTI
    return int(section.attach_type or target.member)


@cache
def _has_uprobe_multi() -> bool:
    from bpfctl.features.links import probe_link
    from bpfctl.features.prober import Prober

    with Prober() as prober:
        return probe_link(prober, "uprobe_multi").available is True


def _flags(section: SectionName, options: LoadOptions) -> int:
    flags = ProgFlags.SLEEPABLE if section.sleepable else ProgFlags(0)
    flags |= ProgFlags.XDP_HAS_FRAGS if section.frags else 0
    bound = _is_for_device(section, options) and not options.offload
    return int(flags | (ProgFlags.XDP_DEV_BOUND_ONLY if bound else 0))


def _is_for_device(section: SectionName, options: LoadOptions) -> bool:
    """Whether a program is loaded for the device somebody wished; only XDP can be bound to one.

    Source: bpf_prog_dev_bound_init(), kernel/bpf/offload.c, Linux 6.3.
    """
    return bool(options.ifindex) and (options.offload or section.prog_type == ProgType.XDP)


def _kernel_version(spec: ObjectSpec, section: SectionName) -> int:
    """Kprobes had to name the kernel they were compiled for until Linux 5.0."""
    if section.prog_type != ProgType.KPROBE:
        return 0
    if spec.kernel_version:
        return spec.kernel_version
    from bpfctl.linux.version import kernel_version_code

    return kernel_version_code()


def locate_failure(error: VerifierError, spec: ObjectSpec, prepared: Prepared) -> None:
    """Tell the error which instruction was refused, and which source line and CO-RE access it is.

    A poisoned instruction is not what its author wrote: what did not fit is said instead. The
    error also learns the code, for those who explain it.
    """
    from bpfctl.loader.verifier_log import failing_insn

    code = _program_code(spec, prepared)
    error.knowing(code)
    error.insn = failing_insn(error.reason if error.lost_end else error.log)
    if error.insn is None:
        return
    fixup = prepared.poisoned.get(error.insn)
    if fixup is not None:
        error.code = "core-relocation-unresolved"
        error.unresolved = f"nothing in this kernel fits {fixup.spec_text}"
        error.evidence += [fixup.reason] if fixup.reason else []
        error.remedy = _unresolved_remedy(fixup)
    source = code.source(error.insn)
    if source is not None:
        error.file, error.line, error.source = source.file, source.line, source.text.strip()


def _program_code(spec: ObjectSpec, prepared: Prepared) -> ProgramCode:
    from bpfctl.loader.code_info import source_lines
    from bpfctl.rejected import ProgramCode

    linked, names = prepared.linked, prepared.map_names
    return ProgramCode(
        bytes(linked.code),
        int(prepared.spec.section.prog_type),
        source_lines(linked.placed, spec.btf) if spec.btf else (),
        tuple((one.insn_offset, one.function.name) for one in linked.placed),
        tuple((index, names[reloc]) for index, reloc in linked.relocs if reloc in names),
    )


def _unresolved_remedy(fixup: CoreFixup) -> str:
    """What to write instead of an access that no kernel type answers."""
    near = fixup.nearest()
    if fixup.kind.is_field:
        check = "bpf_core_field_exists"
    elif fixup.kind.is_enumerator:
        check = "bpf_core_enum_value_exists"
    else:
        check = "bpf_core_type_exists"
    guard = f"guard the access: if ({check}(...))"
    return f"did you mean {' or '.join(near)}? If not, {guard}" if near else guard
