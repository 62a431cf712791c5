"""Every exception bpfctl raises.

BpfctlError                    anything we can word; has a stable code
├── UsageError                 the request makes no sense (a wrong word, value or combination)
├── NotFoundError              no object has that id, name, tag or path
├── AmbiguousError             several objects have that name or tag
├── NotSupportedError          this kernel lacks a feature
├── ExternError                an object refers to things outside of it that are not there
├── NotYetError                bpfctl itself cannot do it yet
├── PathError                  a path that cannot be read, written, pinned at or mounted on
├── OutputError                the object in the kernel is not what the caller expected
├── SyscallError (OSError)     the kernel refused a request
│   ├── VerifierError          the verifier rejected a program; carries its log
│   └── KeyNotFoundError       a map has no such key
└── ObjectFileError            bytes of a file that make no sense
    ├── SectionNameError       a section name outside the grammar
    ├── BtfError               broken type information
    └── RelocationError        a reference in code that cannot be resolved

Errors carry data; `bpfctl.commands` words them and picks the exit status.
"""

from __future__ import annotations

import errno as _errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, ClassVar

    from bpfctl.rejected import Rejection

# In-kernel number that leaks through bpf(2); libc has no words for it (include/linux/errno.h).
ENOTSUPP = 524

# Python gives these numbers the other of their two names (include/uapi/asm-generic/errno.h).
_KERNEL_NAMES = {
    ENOTSUPP: "ENOTSUPP",
    _errno.EOPNOTSUPP: "EOPNOTSUPP",
    _errno.EDEADLK: "EDEADLK",
}


class BpfctlError(Exception):
    """Anything that went wrong and that we can put into words.

    `message` is the cause in one sentence without the object's name in front; `code` is stable and
    machine readable (kebab-case, never reused). `operation` is the command in machine words
    ("prog-load"), `subject` the file, path or object concerned, `program` the program within it.
    `evidence` lists what was observed, `candidates` possible causes nobody confirmed, `remedy` what
    to do. Borders that know more than the place that raised fill the gaps with `within`.
    """

    default_code: ClassVar[str] = "failed"
    undone = False  # whether all that the operation made before is gone again
    explained = False  # whether `bpfctl.explain` has looked at it already
    refusal: SyscallError | None = None  # the kernel's answer that this is the reason of

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        operation: str | None = None,
        subject: str | None = None,
        program: str | None = None,
        evidence: Sequence[str] = (),
        candidates: Sequence[str] = (),
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.operation = operation
        self.subject = subject
        self.program = program
        self.evidence = list(evidence)
        self.candidates = list(candidates)
        self.remedy = remedy
        self.facts: list[object] = []

    def __str__(self) -> str:
        head = f"{self.subject}: " if self.subject else ""
        program = f"program {self.program}: " if self.program else ""
        return f"{head}{program}{self.message}"

    def within(
        self,
        *,
        operation: str | None = None,
        subject: str | None = None,
        program: str | None = None,
    ) -> BpfctlError:
        """Fill in the context that is still unknown, and return the error itself.

        The innermost border knows best, so what is set already stays.
        """
        self.operation = self.operation or operation
        self.subject = self.subject or subject
        self.program = self.program or program
        return self

    def knowing(self, *facts: object) -> None:
        """Keep what the operation was about (specs, targets, ...), for those who explain it."""
        self.facts += facts

    def details(self) -> dict[str, Any]:
        """Further fields for machine-readable output, beyond those every error has."""
        return {}


class UsageError(BpfctlError):
    """The request makes no sense: a wrong word, value or combination. Exit status 2."""

    default_code = "usage"


class NotFoundError(BpfctlError):
    """No object has that id, name, tag or path. Exit status 3."""

    default_code = "not-found"


class AmbiguousError(BpfctlError):
    """Several objects have that name or tag, and the operation takes one."""

    default_code = "ambiguous"


class NotSupportedError(BpfctlError):
    """This kernel lacks `feature`; `since` is the first mainline version that has it ("5.7")."""

    default_code = "kernel-lacks-feature"

    def __init__(self, feature: str, since: str | None = None, **context: Any) -> None:
        text = f"this kernel does not support {feature}"
        super().__init__(text + (f" (since Linux {since})" if since else ""), **context)
        self.feature = feature
        self.since = since

    def details(self) -> dict[str, Any]:
        """Name the feature and the first kernel that has it."""
        return {"feature": self.feature, "since": self.since}


class ExternError(BpfctlError):
    """Things that an object expects from outside and that are not there, or are something else.

    `externs` has a dict for each: `name`, `kind` ("kconfig", "ksym", "kfunc", "unknown"), `reason`,
    `option` (the kernel option it comes with, None: unknown), `setting` (what the kernel's
    configuration says of it, or None), `nearest` (similar names that do
    exist), `remedy` (or None) and `programs` (the names of those that refer to it).
    """

    default_code = "externs-unresolved"

    def __init__(self, externs: Sequence[dict[str, Any]], **context: Any) -> None:
        lines = [_extern_line(one) for one in externs]
        if len(lines) == 1:
            message, evidence = f"extern {lines[0]}", []
        else:
            message, evidence = f"{len(lines)} externs are not resolved", lines
        used = sorted({name for one in externs for name in one["programs"]})
        remedies = dict.fromkeys(str(one["remedy"]) for one in externs if one["remedy"])
        context.setdefault("remedy", "; ".join(remedies) or None)
        super().__init__(message, evidence=evidence, **context)
        self.externs = list(externs)
        if len(used) == 1:
            self.program = self.program or used[0]
        else:
            self.evidence.append(f"programs that need them: {', '.join(used)}")

    def details(self) -> dict[str, Any]:
        """List the externs."""
        return {"externs": self.externs}


def _extern_line(one: dict[str, Any]) -> str:
    line = f"{one['name']} ({one['kind']}) {one['reason']}"
    if one["option"] and one["option"] != one["name"]:
        line += f"; it comes with {one['option']}"
        line += f", {one['setting']}" if one["setting"] else ""
    return line + (f"; there is {' and '.join(one['nearest'])}" if one["nearest"] else "")


class NotYetError(BpfctlError):
    """Valid, and the kernel may well do it, but bpfctl does not support `construct` yet."""

    default_code = "not-supported-yet"

    def __init__(self, construct: str, **context: Any) -> None:
        super().__init__(f"{construct}: not supported yet", **context)
        self.construct = construct


class PathError(BpfctlError):
    """A path that cannot be read, written, pinned at or mounted on."""

    default_code = "path"


class OutputError(BpfctlError):
    """What the kernel returned is not what was asked for (a pin of another kind, for instance)."""

    default_code = "unexpected-object"


class SyscallError(BpfctlError, OSError):
    """The kernel refused a request; `call` is what we issued, `doing` what we wanted from it.

    `request` is the argument as it was sent, where there is one; descriptors in it may be closed.
    `errno` is positive. Compare it instead of catching FileNotFoundError or PermissionError:
    subclasses of OSError made by us are neither.
    """

    default_code = "syscall-failed"
    request: Any = None

    def __init__(self, number: int, call: str, doing: str, **context: Any) -> None:
        text = "operation not supported" if number == ENOTSUPP else os.strerror(number)
        BpfctlError.__init__(self, f"{doing}: {text.lower()}", **context)
        self.errno = number
        self.strerror = text
        self.call = call
        self.doing = doing

    @property
    def errno_name(self) -> str:
        """The symbol of the errno ("EPERM"), or its number as text where it has none."""
        number = self.errno or 0
        return _KERNEL_NAMES.get(number) or _errno.errorcode.get(number, str(number))

    def details(self) -> dict[str, Any]:
        """Name the call and its errno."""
        return {"errno": self.errno_name, "call": self.call}


class VerifierError(SyscallError):
    """The verifier rejected a program.

    `log` is what the kernel wrote, without its trailing zero. When `missing_bytes` is not 0 that
    many bytes of it are lost: at the beginning, or at the end when `kept_beginning`. None for
    `missing_bytes` means that the kernel truncated and did not say by how much.
    `reason` is what it wrote when asked for its objections alone, where they are not in the log,
    `states` what it wrote when asked for registers at each instruction, where the log has none.
    `insn` is the instruction it stopped at, `file`, `line` and `source` are the C it comes from:
    the loader, which knows the code, fills them in. `unresolved` is what the loader could not
    resolve there. `bpfctl.explain` puts what it finds out into `rejection`. None: unknown.
    `log_path` is the file that has the log, for those who cannot be shown all of it; `log_wanted`
    how much of it somebody wants to see: "none", "error" (what it takes), "stats" or "full".
    """

    default_code = "verifier-rejected"

    def __init__(
        self,
        number: int,
        doing: str,
        log: str,
        *,
        missing_bytes: int | None = 0,
        kept_beginning: bool = False,
        reason: str = "",
        states: str = "",
        **context: Any,
    ) -> None:
        super().__init__(number, "BPF_PROG_LOAD", doing, **context)
        self.states = states
        self.log = log
        self.reason = reason
        self.missing_bytes = missing_bytes
        self.kept_beginning = kept_beginning
        self.insn: int | None = None
        self.file: str | None = None
        self.line: int | None = None
        self.source: str | None = None
        self.unresolved: str | None = None
        self.rejection: Rejection | None = None
        self.log_path: str | None = None
        self.log_wanted = "error"

    @property
    def lost_end(self) -> bool:
        """Whether the log ends before the place where the verifier stopped."""
        return self.kept_beginning and self.missing_bytes != 0

    def details(self) -> dict[str, Any]:
        """Give the place, what led there and the log, and say whether it is whole."""
        return {
            **super().details(),
            "insn": self.insn,
            "file": self.file,
            "line": self.line,
            "source": self.source,
            **(self.rejection.as_data() if self.rejection else {}),
            "log": self.log,
            "log_path": self.log_path,
            "log_truncated": self.missing_bytes != 0,
            "log_missing_bytes": self.missing_bytes,
        }


class KeyNotFoundError(SyscallError):
    """A map has no such key."""

    default_code = "key-not-found"


class ObjectFileError(BpfctlError):
    """Bytes of an object file that make no sense, with the section and the offset in it."""

    default_code = "object-file"

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        section: str | None = None,
        offset: int | None = None,
        **context: Any,
    ) -> None:
        context.setdefault("subject", path)
        super().__init__(message, **context)
        self.path = path
        self.section = section
        self.offset = offset

    def details(self) -> dict[str, Any]:
        """Say where in the file."""
        return {"section": self.section, "offset": self.offset}


class SectionNameError(ObjectFileError):
    """A section name outside the grammar; `suggestions` are the nearest valid ones."""

    default_code = "section-name"

    def __init__(self, message: str, *, suggestions: Sequence[str] = (), **context: Any) -> None:
        super().__init__(message, **context)
        self.suggestions = list(suggestions)

    def details(self) -> dict[str, Any]:
        """Add the suggestions."""
        return {**super().details(), "suggestions": self.suggestions}


class BtfError(ObjectFileError):
    """Type information that cannot be read."""

    default_code = "btf"


class RelocationError(ObjectFileError):
    """A reference in a program's code that cannot be resolved.

    `insn_index` counts 8-byte instruction slots from the start of `program`.
    """

    default_code = "relocation"

    def __init__(
        self,
        message: str,
        *,
        insn_index: int | None = None,
        symbol: str | None = None,
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.insn_index = insn_index
        self.symbol = symbol

    def details(self) -> dict[str, Any]:
        """Say at which instruction, and what it refers to."""
        return {**super().details(), "insn": self.insn_index, "symbol": self.symbol}
