"""The words after `link create PROG` for probes and perf events."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects import attach_probe_targets as probes

from .link_forms import PROBE_FORMS
from .link_values import COOKIE, PID, number, pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from typing import Final

    Parser = Callable[[list[str], ExitStack], probes.Probe]

_U64: Final = 1 << 64
_CPUS: Final = 1 << 16
_PERIODS: Final = 1 << 63  # perf_event_open(2)
_OFFSET_LIMIT: Final = 1 << 63  # loff_t


def _first(words: list[str], word: str) -> tuple[str, list[str]]:
    if not words or not words[0]:
        raise UsageError(f"expected {PROBE_FORMS[word]}")
    return words[0], words[1:]


def _place(text: str, word: str) -> tuple[str, int]:
    """Read NAME+OFFSET."""
    name, plus, offset = text.rpartition("+")
    if not plus:
        return text, 0
    if not name:
        raise UsageError(f"expected {PROBE_FORMS[word]}")
    return name, number(offset, "offset", _OFFSET_LIMIT)


def _in_file(text: str, word: str) -> tuple[str, str]:
    """Read BINARY:REST."""
    path, colon, rest = text.partition(":")
    if not path or not colon or not rest:
        raise UsageError(f'"{text}" names no place in a file: expected {PROBE_FORMS[word]}')
    return path, rest


def _kprobe(word: str) -> Parser:
    def parse(words: list[str], stack: ExitStack) -> probes.Probe:
        del stack
        text, rest = _first(words, word)
        name, offset = _place(text, word)
        is_return = word == "kretprobe"
        if is_return and offset:
            raise UsageError("returns are those of a whole function: no offset there")
        return probes.Kprobe(name, offset, is_return, **pairs(rest, COOKIE, PROBE_FORMS[word]))

    return parse


def _uprobe(word: str) -> Parser:
    def parse(words: list[str], stack: ExitStack) -> probes.Probe:
        del stack
        text, rest = _first(words, word)
        path, place = _in_file(text, word)
        numbers = pairs(rest, COOKIE | PID, PROBE_FORMS[word])
        is_return = word == "uretprobe"
        if place[0].isdigit():
            return probes.Uprobe(
                path, "", number(place, "offset", _OFFSET_LIMIT), is_return, **numbers
            )
        name, offset = _place(place, word)
        return probes.Uprobe(path, name, offset, is_return, **numbers)

    return parse


def _many(text: str) -> dict[str, str | tuple[str, ...]]:
    """Read a pattern, or names with commas between."""
    if "*" in text or "?" in text:
        return {"pattern": text}
    names = tuple(text.split(","))
    if not all(names):
        raise UsageError(f'"{text}" has a comma too many')
    return {"functions": names}


def _kprobe_multi(word: str) -> Parser:
    def parse(words: list[str], stack: ExitStack) -> probes.Probe:
        del stack
        text, rest = _first(words, word)
        cookies, rest = _cookies(rest)
        pairs(rest, {}, PROBE_FORMS[word])
        kinds = {"is_return": "ret" in word, "is_session": word.endswith("session")}
        return probes.KprobeMulti(**_many(text), **kinds, cookies=cookies)  # type: ignore[arg-type]  # by name

    return parse


def _tracing_multi(attach_type: AttachType) -> Parser:
    def parse(words: list[str], stack: ExitStack) -> probes.Probe:
        del stack
        text, rest = _first(words, "fentry.multi")
        cookies, rest = _cookies(rest)
        pairs(rest, {}, PROBE_FORMS["fentry.multi"])
        return probes.TracingMulti(attach_type, **_many(text), cookies=cookies)  # type: ignore[arg-type]  # by name

    return parse


def _uprobe_multi(word: str) -> Parser:
    def parse(words: list[str], stack: ExitStack) -> probes.Probe:
        del stack
        text, rest = _first(words, word)
        path, place = _in_file(text, word)
        cookies, rest = _cookies(rest)
        numbers = pairs(rest, PID, PROBE_FORMS[word])
        kinds = {"is_return": "ret" in word, "is_session": word.endswith("session")}
        many = _many(place)
        return probes.UprobeMulti(path, **many, **kinds, **numbers, cookies=cookies)  # type: ignore[arg-type]  # by name

    return parse


def _cookies(words: list[str]) -> tuple[tuple[int, ...], list[str]]:
    """Take `cookies N,N` out of words."""
    if "cookies" not in words[:-1]:
        return (), words
    at = words.index("cookies")
    values = tuple(number(one, "cookie") for one in words[at + 1].split(","))
    return values, words[:at] + words[at + 2 :]


def _usdt(words: list[str], stack: ExitStack) -> probes.Probe:
    del stack
    text, rest = _first(words, "usdt")
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not all(parts):
        raise UsageError(f"expected {PROBE_FORMS['usdt']}")
    path, provider, name = parts
    return probes.Usdt(path, provider, name, **pairs(rest, COOKIE | PID, PROBE_FORMS["usdt"]))


def _ksyscall(word: str) -> Parser:
    def parse(words: list[str], stack: ExitStack) -> probes.Probe:
        del stack
        from bpfctl.linux.syscalls import syscall_function

        name, rest = _first(words, word)
        numbers = pairs(rest, COOKIE, PROBE_FORMS[word])
        return probes.Kprobe(syscall_function(name), 0, word == "kretsyscall", **numbers)

    return parse


def _every_cpu(words: list[str]) -> tuple[bool, list[str]]:
    """Take `cpu all` out of words."""
    for at in range(0, len(words) - 1, 2):
        if words[at : at + 2] == ["cpu", "all"]:
            return True, words[:at] + words[at + 2 :]
    return False, words


def _perf_event(words: list[str], stack: ExitStack) -> probes.Probe:
    """Read the event and when it fires; it has to say where, or it would be everywhere twice."""
    del stack
    from bpfctl.objects.link_probes import event_numbers

    form = PROBE_FORMS["perf_event"]
    text, rest = _first(words, "perf_event")
    every_cpu, rest = _every_cpu(rest)
    numbers = pairs(rest, {"freq": _U64, "period": _PERIODS, "cpu": _CPUS} | PID | COOKIE, form)
    if ("freq" in numbers) == ("period" in numbers):
        raise UsageError(f"say how often, by freq or by period: {form}")
    if every_cpu == ("cpu" in numbers or "pid" in numbers):
        raise UsageError(f"say where, by cpu or by pid: {form}")
    kind, config = event_numbers(text)
    return probes.PerfEvent(text, kind, config, every_cpu=every_cpu, **numbers)


PROBE_PARSERS: Final[dict[str, Parser]] = {
    "kprobe": _kprobe("kprobe"),
    "kretprobe": _kprobe("kretprobe"),
    "uprobe": _uprobe("uprobe"),
    "uretprobe": _uprobe("uretprobe"),
    **{word: _kprobe_multi(word) for word in ("kprobe.multi", "kretprobe.multi", "kprobe.session")},
    **{word: _uprobe_multi(word) for word in ("uprobe.multi", "uretprobe.multi", "uprobe.session")},
    "fentry.multi": _tracing_multi(AttachType.TRACE_FENTRY_MULTI),
    "fexit.multi": _tracing_multi(AttachType.TRACE_FEXIT_MULTI),
    "fsession.multi": _tracing_multi(AttachType.TRACE_FSESSION_MULTI),
    "usdt": _usdt,
    "ksyscall": _ksyscall("ksyscall"),
    "kretsyscall": _ksyscall("kretsyscall"),
    "perf_event": _perf_event,
}
