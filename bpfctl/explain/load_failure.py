"""From a load that failed to its cause."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from bpfctl.errors import SyscallError, VerifierError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.elf.sections import SectionName
    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.linux.caps import Capability
    from bpfctl.loader.kernel_btf import KernelBtf
    from bpfctl.loader.options import LoadOptions


def explain_load(
    error: SyscallError, spec: ObjectSpec, kernel: KernelBtf, options: LoadOptions | None = None
) -> SyscallError:
    """Fill in what checks find out about a refused load, and return the error itself.

    `kernel` is the one the load used: what it read is not read again. `options` are the load's.
    """
    if isinstance(error, VerifierError):
        from bpfctl.explain.rejection import explain_rejection

        return explain_rejection(error)
    if error.errno in {errno.EPERM, errno.EACCES}:
        return _explain_denial(error, spec, kernel, options)
    return error


def _explain_denial(
    error: SyscallError, spec: ObjectSpec, kernel: KernelBtf, options: LoadOptions | None
) -> SyscallError:
    from bpfctl.explain.trampoline import explain_refusal

    section = next((one.section for one in spec.programs if one.name == error.program), None)
    if _lacks_rights(error, section, spec, options) or section is None:
        return error
    return explain_refusal(error, section, kernel)


def _lacks_rights(
    error: SyscallError,
    section: SectionName | None,
    spec: ObjectSpec,
    options: LoadOptions | None,
) -> bool:
    """Name the capabilities that are missing: for what was refused, then for the whole load."""
    from bpfctl.objects import needs
    from bpfctl.objects.denial import is_admin, name_missing

    maps = [need for made in spec.maps for need in needs.of_map(made.type)]
    refused: Sequence[Capability]
    if section is not None:
        refused = () if is_admin() else needs.of_program(section.prog_type)
    else:
        refused = maps if error.call == "BPF_MAP_CREATE" else needs.of_call(error.call)
    return name_missing(error, refused, [*_of_programs(spec, options), *maps])


def _of_programs(spec: ObjectSpec, options: LoadOptions | None) -> list[Capability]:
    from bpfctl.loader.options import LoadOptions
    from bpfctl.loader.support import chosen_programs
    from bpfctl.objects import needs

    chosen = chosen_programs(spec, options or LoadOptions())
    return [need for one in chosen for need in needs.of_program(one.section.prog_type)]
