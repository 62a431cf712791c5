"""From a load that failed to its cause."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from bpfctl.errors import SyscallError, VerifierError

if TYPE_CHECKING:
    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.loader.kernel_btf import KernelBtf


def explain_load(error: SyscallError, spec: ObjectSpec, kernel: KernelBtf) -> SyscallError:
    """Fill in what checks find out about a refused load, and return the error itself.

    `kernel` is the one the load used: what it read is not read again.
    """
    if isinstance(error, VerifierError):
        from bpfctl.explain.rejection import explain_rejection

        return explain_rejection(error)
    if error.errno in {errno.EPERM, errno.EACCES}:
        return _explain_denial(error, spec, kernel)
    return error


def _explain_denial(error: SyscallError, spec: ObjectSpec, kernel: KernelBtf) -> SyscallError:
    from bpfctl.explain.trampoline import explain_refusal
    from bpfctl.linux.caps import missing_capabilities

    missing = missing_capabilities()
    lacking = [name for name in missing if name in {"CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN"}]
    if lacking:
        error.code = "capabilities-missing"
        error.evidence.append(f"this process lacks {', '.join(lacking)}")
        error.remedy = "run it as root, or with CAP_BPF and CAP_PERFMON"
        return error
    section = next((one.section for one in spec.programs if one.name == error.program), None)
    return explain_refusal(error, section, kernel) if section else error
