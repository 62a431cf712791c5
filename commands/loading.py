"""Load an object for a command: read, load, explain what went wrong."""

from __future__ import annotations

from bpfctl.errors import BpfctlError, SyscallError, VerifierError

from .clean import clean, clean_lines
from .output import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.section_def import SectionDef
    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.loader.loaded import LoadedObject
    from bpfctl.loader.options import LoadOptions


def read(path: str, operation: str, prog_type: SectionDef | None = None) -> ObjectSpec:
    """Read an object file, and pass its warnings on; `prog_type` is for all its programs.

    Raises: PathError, ObjectFileError.
    """
    from bpfctl.elf.reader import read_object

    try:
        spec = read_object(path, prog_type)
    except BpfctlError as err:
        err.within(operation=operation, subject=path)
        raise
    for warning in spec.warnings:
        say(f"bpfctl: {clean(path)}: {clean(warning)}")
    return spec


def load(
    spec: ObjectSpec, options: LoadOptions, operation: str, log: str = "error"
) -> LoadedObject:
    """Load an object; a refusal says why as far as checks can tell.

    `log` is how much of the verifier's log somebody wants to see: "none", "error" (what a
    rejection takes), "stats" or "full". Raises: what `bpfctl.loader.pipeline.load` raises.
    """
    from bpfctl.loader import pipeline
    from bpfctl.loader.kernel_btf import KernelBtf
    from bpfctl.objects.btf import KERNEL_FILE

    kernel = KernelBtf(KERNEL_FILE, options.kernel_btf)
    try:
        loaded = pipeline.load(spec, options, kernel)
    except BpfctlError as err:
        err.within(operation=operation)
        if isinstance(err, VerifierError):
            err.log_wanted = log
        if isinstance(err, SyscallError):
            from bpfctl.explain.load_failure import explain_load

            found = explain_load(err, spec, kernel, options)
            if found is not err:
                raise found from None
        raise
    for warning in loaded.warnings:
        say(f"bpfctl: {clean(spec.path)}: {clean(warning)}")
    if log != "none":
        _show_logs(loaded)
    return loaded


def _show_logs(loaded: LoadedObject) -> None:
    """Show the logs that were asked for, and say what is missing of them."""
    for program in loaded.programs.values():
        text, missing = program.log
        if text:
            lost = "" if missing == 0 else f" ({missing or 'some'} bytes of it are missing)"
            say(f"verifier log of {clean(program.name)}{lost}:\n{clean_lines(text)}".rstrip())
