"""EPERM for programs that need a trampoline: a lack of rights, or does the kernel refuse all.

Some kernels are patched or confined so that whatever would patch kernel code (fentry, fexit,
fmod_ret, lsm) is refused before the verifier looks, while other programs of the same type load.
"""

from __future__ import annotations

import errno

from bpfctl.btf.types import Kind
from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import BpfctlError, SyscallError, VerifierError
from bpfctl.explain.explanation import Explanation
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.linux.caps import missing_capabilities
from bpfctl.linux.security import active_lsms, lockdown_mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.elf.sections import SectionName
    from bpfctl.explain.failure import Failure
    from bpfctl.loader.kernel_btf import KernelBtf

CODE: Final = "eperm-trampoline-refused"
_WITH_TRAMPOLINE: Final = frozenset(
    {AttachKind.TRACING, AttachKind.EXT, AttachKind.LSM, AttachKind.LSM_CGROUP}
)
# Return 0 and nothing else.
_TRIVIAL: Final = bytes([0xB7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0])
_KINDS: Final = {
    "fentry": (ProgType.TRACING, AttachType.TRACE_FENTRY),
    "fexit": (ProgType.TRACING, AttachType.TRACE_FEXIT),
    "fmod_ret": (ProgType.TRACING, AttachType.MODIFY_RETURN),
    "lsm": (ProgType.LSM, AttachType.LSM_MAC),
}
# A program with all of these has every right that a load asks for (Linux 5.8).
_NEEDED: Final = frozenset({"CAP_SYS_ADMIN", "CAP_BPF", "CAP_PERFMON"})


def needs_trampoline(section: SectionName) -> bool:
    """Whether programs of that section run through a trampoline (tp_btf does not)."""
    return section.kind in _WITH_TRAMPOLINE and section.attach_type != AttachType.TRACE_RAW_TP


def refused(failure: Failure) -> Explanation | None:
    """Confirm that it is no lack of rights, and that a program without a trampoline loads.

    Only EPERM with an empty log is looked at: all else has causes of its own.
    """
    section = failure.program.section if failure.program else None
    if failure.errno != errno.EPERM or section is None or not needs_trampoline(section):
        return None
    if _NEEDED & set(missing_capabilities()):
        return None
    if not _loads(failure.kernel, ProgType.TRACING, AttachType.TRACE_ITER):
        failure.candidates.append(
            "this kernel refuses programs that need a trampoline "
            '(check: does a program with SEC "iter/task" load?)'
        )
        return None
    kinds = _refused_kinds(failure.kernel, section.definition.name)
    seen = f"an iterator loads; {kinds} before verification (empty log)"
    return Explanation(
        CODE,
        "not permitted: this kernel refuses programs that need a trampoline",
        (f"CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN present; {seen}", *_confinement()),
        "use tp_btf or a tracepoint here, or a kernel without this restriction",
    )


def _refused_kinds(kernel: KernelBtf, name: str) -> str:
    """Name what is refused: what we were asked to load, and all others that are like it."""
    like = {kind: _loads(kernel, *types) for kind, types in _KINDS.items() if kind != name}
    names = [name, *(kind for kind, loads in like.items() if loads is False)]
    if len(names) == 1:
        return f"{name} is refused with EPERM"
    return f"{', '.join(names[:-1])} and {names[-1]} are refused with EPERM"


def _loads(kernel: KernelBtf, prog_type: int, attach_type: AttachType) -> bool | None:
    """Whether a program that does nothing loads; None where it was not refused with EPERM."""
    from bpfctl.features.programs import TARGETS
    from bpfctl.loader.options import LoadOptions
    from bpfctl.loader.verifier import ProgLoad, load_program

    try:
        found = (kernel.btf.find(name, Kind.FUNC) for name in TARGETS[attach_type])
        btf_id = next((one for one in found if one), None)
        if btf_id is None:
            return None
        request = ProgLoad(
            name="probe",
            prog_type=int(prog_type),
            insns=_TRIVIAL,
            license="GPL",
            expected_attach_type=int(attach_type),
            attach_btf_id=btf_id,
        )
        load_program(request, LoadOptions())[0].close()
    except SyscallError as err:
        is_refused = err.errno == errno.EPERM and not isinstance(err, VerifierError)
        return False if is_refused else None
    except BpfctlError:
        return None
    return True


def _confinement() -> list[str]:
    """What can be read of lockdown and security modules."""
    mode, modules = lockdown_mode(), active_lsms()
    known = [f"lockdown: {mode}"] if mode else []
    return known + ([f"active LSMs: {','.join(modules)}"] if modules else [])
