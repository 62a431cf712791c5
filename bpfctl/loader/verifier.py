"""Load one program, and get the verifier's whole log when the kernel refuses it.

A first load asks for no log: logging slows the verifier down, and most loads succeed. Only when it
fails is the program loaded again, with a log buffer that grows until the log fits.
"""

from __future__ import annotations

import errno

from bpfctl.errors import SyscallError, UsageError, VerifierError
from bpfctl.kernel.attr_prog import prog_load
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.flags import LogLevel
from bpfctl.loader.code_info import FUNC_INFO_SIZE, LINE_INFO_SIZE
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.kernel.attr import ProgLoad as ProgLoadRequest
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.options import LoadOptions

# kernel/bpf/log.c bpf_verifier_log_attr_valid(): 128 before Linux 6.4; the upper end since 5.2.
LOG_SIZE_MIN: Final = 128
LOG_SIZE_MAX: Final = 0xFFFFFFFF >> 2
LOG_SIZE_START: Final = 64 * 1024
# What we take without being asked to: a program of a million instructions has a log of 100 MiB.
LOG_SIZE_UNASKED: Final = 32 << 20
_GROWTH: Final = 8
# Room for the objections without the walk: a log of statistics has both.
_REASON_SIZE: Final = 16 * 1024
_STATES_SIZE: Final = 1 << 20


class ProgLoad(NamedTuple):
    """Everything BPF_PROG_LOAD needs for one program, the log apart."""

    name: str
    prog_type: int
    insns: bytes
    license: str
    expected_attach_type: int = 0
    prog_flags: int = 0
    attach_btf_id: int = 0
    attach_prog_fd: int = 0
    attach_btf_obj_fd: int = 0
    kern_version: int = 0
    prog_ifindex: int = 0
    fd_array: tuple[int, ...] = ()
    prog_btf_fd: int = 0
    func_info: bytes = b""
    line_info: bytes = b""

    def attr(self, log_level: int = 0, log_buf: bytearray | None = None) -> ProgLoadRequest:
        """The request for the kernel, which writes its log into `log_buf`."""
        return prog_load(
            prog_type=self.prog_type,
            insns=self.insns,
            license=self.license,
            name=self.name,
            expected_attach_type=self.expected_attach_type,
            prog_flags=self.prog_flags,
            attach_btf_id=self.attach_btf_id,
            attach_prog_fd=self.attach_prog_fd,
            attach_btf_obj_fd=self.attach_btf_obj_fd,
            kern_version=self.kern_version,
            prog_ifindex=self.prog_ifindex,
            fd_array=self.fd_array,
            prog_btf_fd=self.prog_btf_fd,
            func_info=self.func_info,
            func_info_rec_size=FUNC_INFO_SIZE if self.func_info else 0,
            line_info=self.line_info,
            line_info_rec_size=LINE_INFO_SIZE if self.line_info else 0,
            log_level=log_level,
            log_buf=log_buf,
            doing=f"load program {self.name}",
        )


_WALK: Final = LogLevel.BRANCHES | LogLevel.STATES


class Log(NamedTuple):
    """What the verifier wrote.

    `missing_bytes` of it are lost; None: some are, the kernel did not say how many.
    """

    text: str = ""
    missing_bytes: int | None = 0


def load_program(request: ProgLoad, options: LoadOptions) -> tuple[Fd, Log]:
    """Load the program; the log is empty unless `options` ask for one.

    Raises: VerifierError when the verifier said why, else SyscallError; UsageError for a log size
    that no kernel takes.
    """
    _check_size(options.log_size)
    if options.log_level & _WALK:
        return _load_logged(request, options.log_level, options, None)
    try:
        if options.log_level:
            return _load_logged(request, options.log_level, options, None)
        return bpf_fd(request.attr()), Log()
    except SyscallError as err:
        refused = err
    return _load_logged(request, options.log_level | LogLevel.BRANCHES, options, refused)


def _load_logged(
    request: ProgLoad, level: int, options: LoadOptions, refused: SyscallError | None
) -> tuple[Fd, Log]:
    """Load with a log; `refused` is how the load without one ended, None if there was none."""
    level |= LogLevel.FIXED if options.log_fixed else 0
    size = options.log_size or LOG_SIZE_START
    while True:
        buffer = bytearray(size)
        attr = request.attr(level, buffer)
        try:
            return bpf_fd(attr), _read_log(buffer, attr.log_true_size, full=False)
        except SyscallError as err:
            failure = err
        if failure.errno == errno.EINVAL and level & LogLevel.FIXED and not buffer[0]:
            level &= ~LogLevel.FIXED  # before Linux 6.4 every log keeps its beginning
            continue
        full = failure.errno == errno.ENOSPC
        wanted = _next_size(size, attr.log_true_size) if full else size
        if options.log_size is not None or wanted <= size:
            break
        size = wanted
    log = _read_log(buffer, attr.log_true_size, full=full)
    if refused is None and full:
        return _load_unlogged(request, log, options, attr)
    if refused is not None and not log.text and failure.errno != refused.errno:
        answer = f"asked once more, for the verifier's words, the kernel says {failure.errno_name}"
        refused.evidence.append(answer)
    raise _rejection(request, refused or failure, log, options, attr) from None


def _load_unlogged(
    request: ProgLoad, log: Log, options: LoadOptions, attr: ProgLoadRequest
) -> tuple[Fd, Log]:
    """Load a program whose log did not fit: ENOSPC hid whether the verifier accepts it."""
    try:
        return bpf_fd(request.attr()), log
    except SyscallError as err:
        raise _rejection(request, err, log, options, attr) from None


def _next_size(size: int, true_size: int) -> int:
    """The buffer size to try after `size` was too small, `size` itself when there is none.

    Kernels since 6.4 say the size needed; for older ones the buffer grows.
    """
    wanted = true_size or size * _GROWTH
    return max(size, min(wanted, LOG_SIZE_UNASKED))


def _read_log(buffer: bytearray, true_size: int, *, full: bool) -> Log:
    """The text before the final zero, and how much is missing.

    The kernel says how long the log was at most. A log that fits may end up shorter: the verifier
    drops again what it wrote on branches that were fine (bpf_vlog_reset(), kernel/bpf/log.c, 6.4).
    """
    end = buffer.find(0)
    length = len(buffer) if end < 0 else end
    with memoryview(buffer) as whole, whole[:length] as part:
        text = str(part, "utf-8", "replace")
    if not full:
        return Log(text)
    return Log(text, max(0, true_size - 1 - length) if true_size else None)


def _rejection(
    request: ProgLoad,
    failure: SyscallError,
    log: Log,
    options: LoadOptions,
    attr: ProgLoadRequest,
) -> SyscallError:
    """A VerifierError with the log; the failure itself when the verifier said nothing."""
    if not log.text.strip():
        return failure
    keeps_beginning = options.log_fixed or not attr.log_true_size
    rejected = VerifierError(
        failure.errno or 0,
        failure.doing,
        log.text,
        missing_bytes=log.missing_bytes,
        kept_beginning=keeps_beginning,
        reason=_reason(request) if _lacks_reason(log, keeps_beginning=keeps_beginning) else "",
        states=_states(request, log, options),
    )
    rejected.request = failure.request
    return rejected


def _lacks_reason(log: Log, *, keeps_beginning: bool) -> bool:
    """Whether what the verifier objects to is in the part of the log that is lost.

    It stands behind the last instruction. An end without one may be a report's (Linux 7.3).
    """
    if log.missing_bytes == 0:
        return False
    from bpfctl.loader.verifier_log import INSN, decisive_line

    return keeps_beginning or not INSN.search(log.text) or not decisive_line(log.text)


def _states(request: ProgLoad, log: Log, options: LoadOptions) -> str:
    """A log with the registers at each instruction, where the log has none; "" if that is long."""
    from bpfctl.loader.verifier_log import lacks_states

    if log.missing_bytes != 0 or options.log_level & LogLevel.STATES or not lacks_states(log.text):
        return ""
    buffer = bytearray(_STATES_SIZE)
    try:
        bpf_fd(request.attr(LogLevel.STATES, buffer)).close()
    except SyscallError as err:
        return "" if err.errno == errno.ENOSPC else _read_log(buffer, 0, full=False).text
    return ""


def _reason(request: ProgLoad) -> str:
    """The objections alone, for a log that lost its end: that of statistics leaves out the walk."""
    buffer = bytearray(_REASON_SIZE)
    try:
        bpf_fd(request.attr(LogLevel.STATS, buffer)).close()
    except SyscallError:
        return _read_log(buffer, 0, full=False).text
    return ""


def _check_size(size: int | None) -> None:
    if size is not None and not LOG_SIZE_MIN <= size <= LOG_SIZE_MAX:
        raise UsageError(
            f"log size {size}: the kernel takes {LOG_SIZE_MIN} to {LOG_SIZE_MAX} bytes"
        )
