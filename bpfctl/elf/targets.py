"""The form of what stands behind a section name.

Whether the target exists is the kernel's business; here only its form is checked, so that a slip
of the pen is said on reading and no puzzle on attaching.
"""

from __future__ import annotations

from bpfctl.elf.section_def import Grammar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

_DIGITS: Final = "0123456789"
_HEX_DIGITS: Final = _DIGITS + "abcdefABCDEF"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_WORD: Final = frozenset(_LETTERS + _LETTERS.upper() + _DIGITS + "_")
_SYMBOL: Final = _WORD | frozenset(".$")  # compilers add suffixes such as ".isra.0"
_PATTERN: Final = _SYMBOL | frozenset("*?")
_LABEL: Final = _WORD | frozenset(".-+:@")

_OFFSET_LIMIT: Final = 1 << 63  # loff_t
_LONGEST_OFFSET: Final = 20

# A target of each form, for messages.
EXAMPLES: Final[dict[Grammar, str]] = {
    Grammar.LABEL: "my_program",
    Grammar.FUNCTION: "do_unlinkat",
    Grammar.RETURN: "do_unlinkat",
    Grammar.PATTERN: "tcp_*",
    Grammar.SYSCALL: "unlinkat",
    Grammar.BINARY_FUNCTION: "/bin/bash:readline",
    Grammar.BINARY_PATTERN: "/bin/bash:read*",
    Grammar.BINARY_PROBE: "/bin/app:provider:name",
    Grammar.TRACEPOINT: "sched/sched_switch",
    Grammar.RAW_TRACEPOINT: "sched_switch",
    Grammar.BTF_FUNCTION: "do_unlinkat",
    Grammar.BTF_PATTERN: "tcp_*",
    Grammar.HOOK: "file_open",
    Grammar.ITERATOR: "task",
    Grammar.MEMBER: "my_member",
}


def target_problem(grammar: Grammar, target: str) -> str | None:
    """Say in words what is wrong with `target`, or None when its form is right."""
    return _CHECKS[grammar](target)


def _word(text: str, allowed: frozenset[str], what: str) -> str | None:
    if not text:
        return f"{what} is missing"
    wrong = next((c for c in text if c not in allowed), None)
    return f"{what} cannot contain {wrong!r}" if wrong is not None else None


def _label(text: str) -> str | None:
    for part in text.split("/"):
        if problem := _word(part, _LABEL, "a part of the label"):
            return problem
    return None


def _function(text: str) -> str | None:
    """FUNCTION or FUNCTION+OFFSET, the offset decimal or 0x-hexadecimal."""
    name, plus, offset = text.partition("+")
    if problem := _word(name, _SYMBOL, "the function"):
        return problem
    return f"{offset!r} is no offset" if plus and offset_of(offset) is None else None


def offset_of(text: str) -> int | None:
    """Read an offset into a function or a file: decimal, or hexadecimal behind 0x.

    None is: it is none. No decimal begins with 0, which C and libbpf would take for octal.
    """
    is_hex = text[:2].lower() == "0x"
    digits = text[2:] if is_hex else text
    if not digits or not all(c in (_HEX_DIGITS if is_hex else _DIGITS) for c in digits):
        return None
    if len(text) > _LONGEST_OFFSET or (digits[0] == "0" and len(digits) > 1 and not is_hex):
        return None
    found = int(digits, 16 if is_hex else 10)
    return found if found < _OFFSET_LIMIT else None


def _tracepoint(text: str) -> str | None:
    category, slash, name = text.partition("/")
    if not slash:
        return "the event name is missing"
    return _word(category, _LABEL, "the category") or _word(name, _LABEL, "the event name")


def _in_module(rest: Callable[[str], str | None]) -> Callable[[str], str | None]:
    def check(text: str) -> str | None:
        module, colon, tail = text.partition(":")
        if not colon:
            return rest(text)
        return _word(module, _LABEL, "the module") or rest(tail)

    return check


def _of_binary(rest: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """BINARY:REST; the path may contain anything but a colon."""

    def check(text: str) -> str | None:
        path, colon, tail = text.partition(":")
        if not path:
            return "the binary is missing"
        return rest(tail) if colon else "what to probe in the binary is missing"

    return check


def _user_function(text: str) -> str | None:
    """FUNCTION[@VERSION][+OFFSET], or an absolute OFFSET into the file."""
    if offset_of(text) is not None:
        return None
    name, plus, offset = text.rpartition("+")
    symbol, at, version = (name if plus else text).partition("@")
    if plus and offset_of(offset) is None:
        return f"{offset!r} is no offset"
    if at and (problem := _word(version.lstrip("@"), _LABEL, "the symbol version")):
        return problem
    return "the function is missing" if not symbol else None


def _usdt(text: str) -> str | None:
    provider, colon, name = text.partition(":")
    if not provider:
        return "the provider is missing"
    if not colon or not name:
        return "the probe's name is missing"
    return "there is a colon too many" if ":" in name else None


def _plain(allowed: frozenset[str], what: str) -> Callable[[str], str | None]:
    return lambda text: _word(text, allowed, what)


def _nothing(text: str) -> str | None:
    return "nothing may follow" if text else None


_CHECKS: Final[dict[Grammar, Callable[[str], str | None]]] = {
    Grammar.NONE: _nothing,
    Grammar.LABEL: _label,
    Grammar.FUNCTION: _function,
    Grammar.RETURN: _plain(_SYMBOL, "the function"),
    Grammar.PATTERN: _plain(_PATTERN, "the pattern"),
    Grammar.SYSCALL: _plain(_WORD, "the system call"),
    Grammar.BINARY_FUNCTION: _of_binary(_user_function),
    Grammar.BINARY_PATTERN: _of_binary(lambda text: None if text else "the pattern is missing"),
    Grammar.BINARY_PROBE: _of_binary(_usdt),
    Grammar.TRACEPOINT: _tracepoint,
    Grammar.RAW_TRACEPOINT: _plain(_LABEL, "the tracepoint"),
    Grammar.BTF_FUNCTION: _in_module(_plain(_SYMBOL, "the function")),
    Grammar.BTF_PATTERN: _in_module(_plain(_PATTERN, "the pattern")),
    Grammar.HOOK: _plain(_WORD, "the hook"),
    Grammar.ITERATOR: _plain(_WORD, "the iterator"),
    Grammar.MEMBER: _plain(_SYMBOL, "the name"),
}
