"""The words of `btf dump`, in bpftool's grammar: which types, and how to write them."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.objects.ids import ObjectKind
from bpfctl.plain import plain

from .chosen import open_one
from .clean import clean
from .selectors import take_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.btf.decode import Btf
    from bpfctl.objects.btf_source import BtfSource

_FORMATS = ("raw", "c", "json")
_PARTS = ("key", "value", "kv", "all")
_SOURCES = ("kernel", "file", "id", "prog", "map")
_EXPECTED = f"expected {', '.join(_SOURCES[:-1])} or {_SOURCES[-1]}"


@plain
class Dump:
    """What to write: the types behind `source`, and of them `roots` if any are named."""

    source: BtfSource
    form: str = "raw"
    roots: tuple[int, ...] = ()
    unsorted: bool = False
    contexts: bool = False


def parse(words: Sequence[str], base: str | None = None, *, contexts: bool = False) -> Dump:
    """Read the words, and the types they mean.

    Raises: UsageError, and what reading types raises.
    """
    source, rest = _take_files(words, base)
    form, roots, unsorted = "raw", list[int](), False
    while rest:
        word, *rest = rest
        if word == "unsorted":
            unsorted = True
            continue
        if word not in ("format", "root_id"):
            raise UsageError(f'"{word}" is not expected there: format, root_id or unsorted')
        if not rest:
            raise UsageError(f'"{word}" wants {_values(word)} after it')
        value, *rest = rest
        if word == "format":
            form = _form(value)
        else:
            roots.append(_root(value))
    if contexts and form != "c":
        raise UsageError("--ctx adds structs to C", remedy="write: format c --ctx")
    return Dump(source, form, tuple(roots), unsorted, contexts)


def _take_files(words: Sequence[str], base: str | None) -> tuple[BtfSource, list[str]]:
    """Read a source, or several files, which are merged (as bpftool 7.7 does)."""
    paths, rest = list[str](), list(words)
    while rest[:1] == ["file"] and len(rest) > 1:
        paths.append(rest[1])
        rest = rest[2:]
    if len(paths) < 2:
        return take_source(words, base)
    from bpfctl.objects.btf_source import BtfSource, btf_of_files

    return BtfSource(btf_of_files(paths, read_base(base))), rest


def _values(word: str) -> str:
    return f"one of {', '.join(_FORMATS)}" if word == "format" else "the id of a type"


def _form(value: str) -> str:
    if value not in _FORMATS:
        raise UsageError(f'"{value}" is no format: {", ".join(_FORMATS)}')
    return value


def _root(value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) < 1 << 32:
        raise UsageError(f'"{value}" is no id of a type')
    return int(value)


def take_source(words: Sequence[str], base: str | None) -> tuple[BtfSource, list[str]]:
    """Read which types are meant from the front of a list of words, and return what follows.

    Raises: UsageError, and what reading types raises.
    """
    if not words:
        raise UsageError(f"which types? {_EXPECTED}")
    first, *rest = words
    if first not in _SOURCES:
        raise UsageError(f'"{first}" is no source of types: {_EXPECTED}')
    from bpfctl.objects.btf import loaded_btf
    from bpfctl.objects.btf_source import BtfSource, btf_of_file

    if base is not None and first != "file":
        raise UsageError("--base-btf is for the types of a file")
    if first == "kernel":
        return _of_kernel(rest)
    if first == "prog":
        return _of_prog(rest)
    if first == "map":
        return _of_map(rest)
    if not rest:
        raise UsageError(f'"{first}" wants {"a path" if first == "file" else "a number"} after it')
    value, *rest = rest
    if first == "id":
        return BtfSource(loaded_btf(_root(value))), rest
    found = btf_of_file(value, read_base(base))
    tell_of_own_base(found)
    return BtfSource(found), rest


def tell_of_own_base(btf: Btf) -> None:
    """Say of a module's types that they are shown on the little of a kernel's that they bring."""
    from bpfctl.objects.btf_source import has_own_base

    if has_own_base(btf):
        from .output import say

        say(
            f"{clean(btf.path)}: based on names and sizes of the kernel's types that it brings"
            " itself (.BTF.base): --base-btf puts it on those of a kernel"
        )


def _of_kernel(words: list[str]) -> tuple[BtfSource, list[str]]:
    from bpfctl.objects.btf import kernel_btf
    from bpfctl.objects.btf_source import BtfSource, kernel_with_modules

    if words[:1] == ["modules"]:
        return BtfSource(kernel_with_modules()), words[1:]
    return BtfSource(kernel_btf()), words


def read_base(path: str | None) -> Btf | None:
    """The types that others are based on, if a file of them is named. Raises: what reading does."""
    from bpfctl.objects.btf_source import btf_of_file

    return None if path is None else btf_of_file(path)


def _of_prog(words: Sequence[str]) -> tuple[BtfSource, list[str]]:
    from bpfctl.objects.btf_source import BtfSource, btf_of_prog
    from bpfctl.objects.prog import prog_info

    selector, rest = take_selector(words, ObjectKind.PROG)
    with open_one(selector) as fd:
        return BtfSource(btf_of_prog(prog_info(fd))), rest


def _of_map(words: Sequence[str]) -> tuple[BtfSource, list[str]]:
    from bpfctl.objects.btf_source import btf_of_map
    from bpfctl.objects.map_info import map_info

    selector, rest = take_selector(words, ObjectKind.MAP)
    part, rest = (rest[0], rest[1:]) if rest and rest[0] in _PARTS else ("kv", rest)
    with open_one(selector) as fd:
        return btf_of_map(map_info(fd), part), rest
