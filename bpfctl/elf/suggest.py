"""The nearest valid section names. Imported only when a name was refused."""

from __future__ import annotations

from bpfctl.elf.section_def import Follow
from bpfctl.elf.section_table import BY_NAME
from bpfctl.elf.targets import EXAMPLES, target_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.elf.section_def import SectionDef

_SEPARATORS: Final = "/._-"
_NEARLY_SAME: Final = 0.9
_LIKENESS: Final = 0.75
_MOST: Final = 3
_LONGEST: Final = 64  # difflib is quadratic; nothing valid and misspelt is longer

# Names older libbpf had for what has another name now (both gone with libbpf 1.0).
_DROPPED: Final = {"xdp_devmap": "xdp/devmap", "xdp_cpumap": "xdp/cpumap"}

# Names that libbpf matched by their beginning and without a slash, until 1.0. The others either
# had the slash in what was compared ("kprobe/") or are younger.
_ONCE_PREFIXES: Final = (
    *("socket", "sk_reuseport", "classifier", "tc", "action", "xdp", "perf_event", "sockops"),
    *("lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local", "lirc_mode2", "flow_dissector", "sk_msg"),
    *("sk_skb", "cgroup_skb/ingress", "cgroup_skb/egress", "cgroup/skb", "cgroup/sock"),
    *("cgroup/dev", "cgroup/sysctl", "cgroup/getsockopt", "cgroup/setsockopt"),
)


def suggestions(text: str) -> list[str]:
    """At most three valid names near `text`, the best first."""
    found = dict.fromkeys(_near(text, BY_NAME, _NEARLY_SAME))
    found |= dict.fromkeys(_by_beginning(text))
    found |= dict.fromkeys(name for name in BY_NAME if text and name.startswith(f"{text}/"))
    if len(found) < 2:
        found |= dict.fromkeys(_by_likeness(text[:_LONGEST]))
    return list(dict.fromkeys(map(_usable, found)))[:_MOST]


def _usable(name: str) -> str:
    """The name itself, or with an example where it needs a target."""
    definition = BY_NAME.get(name)
    if definition is None or definition.follow is not Follow.REQUIRED_TARGET:
        return name
    return f"{name}/{EXAMPLES[definition.grammar]}"


def nearest(word: str, words: Iterable[str]) -> list[str]:
    """The words that look like a misspelling of `word`, the best first."""
    return _near(word, words, _LIKENESS)


def dropped_note(text: str) -> list[str]:
    """Say how libbpf before 1.0 read the name, when it did."""
    for old, new in _DROPPED.items():
        if text.startswith(old):
            return [f'libbpf 1.0 dropped "{old}": the name is "{new}" now']
    if name := _beginning(text, _ONCE_PREFIXES):
        return [f'libbpf took it for "{name}" by its beginning, and dropped that with 1.0']
    return []


def _near(word: str, words: Iterable[str], likeness: float) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(word[:_LONGEST].lower(), list(words), _MOST, likeness)


def _beginning(text: str, names: Iterable[str]) -> str | None:
    """The longest name that `text` begins with."""
    return max((name for name in names if text.startswith(name)), key=len, default=None)


def _by_beginning(text: str) -> list[str]:
    """What begins with "user" may stand for "user", or for "user/" and the rest."""
    flat = {_flatten(name): name for name in BY_NAME}
    start = _beginning(_flatten(text), flat)
    if start is None:
        return []
    definition = BY_NAME[flat[start]]
    rest = text[len(start) :].lstrip(_SEPARATORS)
    longer = f"{definition.name}/{rest}"
    valid = rest and "/" not in rest and _takes(definition, rest) and longer != text
    needs = valid and definition.follow is Follow.REQUIRED_TARGET
    return [*([] if needs else [definition.name]), *([longer] if valid else [])]


def _flatten(text: str) -> str:
    """Make all separators the same: "xdp_devmap_x" begins like "xdp/devmap"."""
    return "".join("_" if c in _SEPARATORS else c for c in text)


def _takes(definition: SectionDef, rest: str) -> bool:
    """Whether `rest` may stand behind the name."""
    if definition.follow is Follow.NOTHING:
        return False
    return target_problem(definition.grammar, rest) is None


def _by_likeness(text: str) -> list[str]:
    """Names that differ by a few letters from the text, or from its part before a slash."""
    found = nearest(text, BY_NAME)
    head, slash, tail = text.partition("/")
    while slash and not found:
        names = nearest(head, BY_NAME)
        found = [f"{name}/{tail}" for name in names if _takes(BY_NAME[name], tail)] or names
        more, slash, tail = tail.partition("/")
        head = f"{head}/{more}"
    return found
