"""From a load that failed to its cause."""

from __future__ import annotations

from bpfctl.errors import SyscallError, VerifierError
from bpfctl.loader.options import LoadOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.errors import BpfctlError
    from bpfctl.loader.kernel_btf import KernelBtf


def explain_load(
    error: SyscallError, spec: ObjectSpec, kernel: KernelBtf, options: LoadOptions | None = None
) -> BpfctlError:
    """Return the error to raise instead, with what checks find out about a refused load.

    `kernel` is the one the load used: what it read is not read again. `options` are the load's.
    """
    from bpfctl.explain.engine import explain

    code = error.code
    found = explain(error, spec, kernel, options or LoadOptions())
    if isinstance(found, VerifierError) and found.code == code:
        from bpfctl.explain.compiler import no_source_lines
        from bpfctl.explain.rejection import explain_rejection
        from bpfctl.explain.verifier_context import add_field
        from bpfctl.explain.verifier_who_may import add_who_may

        rejected = explain_rejection(found)
        add_who_may(rejected)
        add_field(rejected, kernel)
        missing = no_source_lines(rejected, spec)
        rejected.evidence += [missing] if missing else []
        return rejected
    return found
