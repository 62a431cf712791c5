"""What to try when a kernel refuses a program: what it may be too old for, in older words.

Each attempt changes a request only where its cause is seen in the refusal, so that a program that
is refused for other reasons is not loaded again.
"""

from __future__ import annotations

import errno

from bpfctl.asm.insn import BPF_CALL_IMM, find_opcode, unpack, write
from bpfctl.errors import SyscallError, VerifierError
from bpfctl.loader.code_info import func_info
from bpfctl.loader.verifier import load_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from typing import Final

    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.options import LoadOptions
    from bpfctl.loader.prepare import Prepared
    from bpfctl.loader.verifier import Log, ProgLoad

# bpf_probe_read() until it was split by what it reads (Linux 5.5, commit 6ae08ae3dea2). Numbers of
# enum bpf_func_id: every load imports this, and the table of all helpers takes 2 ms.
_PROBE_READ: Final = 4
_PROBE_READ_STR: Final = 45
_OLDER_HELPERS: Final = {
    112: _PROBE_READ,  # probe_read_user
    113: _PROBE_READ,  # probe_read_kernel
    114: _PROBE_READ_STR,  # probe_read_user_str
    115: _PROBE_READ_STR,  # probe_read_kernel_str
}
_NO_HELPER: Final = r"(?:invalid|unknown) func \w*#(\d+)"


class Fallbacks:
    """Loads the programs of one object, in older words where the kernel takes no others.

    `resources` keeps open what a load needs beside the object's own types.
    """

    def __init__(self, spec: ObjectSpec, options: LoadOptions, resources: ExitStack) -> None:
        self._spec = spec
        self._options = options
        self._resources = resources

    def load(self, prepared: Prepared, request: ProgLoad) -> tuple[Fd, Log]:
        """Load a program. Raises: VerifierError, SyscallError as the first attempt ended."""
        try:
            return load_program(request, self._options)
        except SyscallError as err:
            refused = last = err
        for attempt in self._attempts():
            changed = attempt(prepared, request, last)
            if changed is None:
                continue
            request = changed
            try:
                return load_program(request, self._options)
            except SyscallError as err:
                last = err
        raise refused

    def _attempts(self) -> list[Callable[[Prepared, ProgLoad, SyscallError], ProgLoad | None]]:
        return [_without_names, _with_older_helpers, self._with_named_contexts]

    def _with_named_contexts(
        self, prepared: Prepared, request: ProgLoad, refused: SyscallError
    ) -> ProgLoad | None:
        """For kernels that do not know the tag of context arguments (before Linux 6.8)."""
        if self._spec.btf is None or not request.func_info or refused.errno == errno.EPERM:
            return None
        from bpfctl.loader.btf import kernel_data, load_btf
        from bpfctl.loader.context_args import named_contexts

        placed = prepared.linked.placed
        global_ones = (one.function for one in placed if not one.function.is_hidden)
        ids = [info.type_id for one in global_ones for info in one.func_info]
        found = named_contexts(self._spec.btf, ids, request.prog_type)
        if found is None:
            return None
        data, instead = found
        fd = load_btf(kernel_data(self._spec.btf, self._spec.functions.values(), data))
        self._resources.enter_context(fd)
        records = func_info(placed, instead)
        return request._replace(prog_btf_fd=fd.fileno(), func_info=records)


def _without_names(prepared: Prepared, request: ProgLoad, refused: SyscallError) -> ProgLoad | None:
    """For kernels whose requests have no room for names and types (before Linux 4.15, 5.0).

    E2BIG is what bpf_check_uarg_tail_zero() answers to fields a kernel does not know.
    """
    del prepared
    if refused.errno != errno.E2BIG or isinstance(refused, VerifierError):
        return None
    return request._replace(name="", prog_btf_fd=0, func_info=b"", line_info=b"")


def _with_older_helpers(
    prepared: Prepared, request: ProgLoad, refused: SyscallError
) -> ProgLoad | None:
    """For kernels without the helpers that say what memory they read."""
    del prepared
    if not isinstance(refused, VerifierError):
        return None
    import re  # takes longer than most loads

    missing = re.search(_NO_HELPER, refused.log)
    if missing is None or int(missing[1]) not in _OLDER_HELPERS:
        return None
    code = bytearray(request.insns)
    for at in find_opcode(code, BPF_CALL_IMM):
        insn = unpack(code, at)
        if insn.is_helper_call and insn.imm in _OLDER_HELPERS:
            write(code, at, insn._replace(imm=_OLDER_HELPERS[insn.imm]))
    return request._replace(insns=bytes(code))
