"""What the programs of a section get as their context, in the running kernel or another one."""

from __future__ import annotations

from bpfctl.btf.contexts import KINDS, context_kind, find_context
from bpfctl.btf.types import Kind
from bpfctl.errors import NotFoundError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.btf.contexts import Context
    from bpfctl.btf.decode import Btf

_SUGGESTIONS = 3


def section_context(section: str, path: str | None = None) -> tuple[Btf, Context]:
    """Find the context of `SEC(section)`, and the types it is made of.

    `path` is a file with the types of another kernel. Targets of the running kernel's modules are
    found too. Raises: UsageError for a section whose programs get no arguments, NotFoundError for
    a target that is not there, and what reading types raises.
    """
    word, _, target = section.partition("/")
    kind = context_kind(word)
    if kind is None or not target:
        words = ", ".join(f"{one}/..." for found in KINDS for one in found.words)
        problem = "names no target" if kind else "has no context of arguments"
        raise UsageError(f'section "{section}" {problem}', remedy=f"sections that have: {words}")
    for btf in _places(path):
        found = find_context(btf, word, target)
        if found is not None:
            return btf, found
    from bpfctl.loader.attach_target import nearest_names

    btf = next(_places(path))
    similar = nearest_names(btf, kind.prefix, target)
    others = (name for name in similar if name != target)  # a helper is called like a hook
    near = [name for name in others if btf.find(kind.prefix + name, Kind.FUNC)][:_SUGGESTIONS]
    raise NotFoundError(
        f'there is no target "{target}" for {word}',
        code="attach-target-missing",
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )


def _places(path: str | None) -> Iterator[Btf]:
    from bpfctl.objects.btf import kernel_btf, module_btfs
    from bpfctl.objects.btf_source import btf_of_file

    if path is not None:
        yield btf_of_file(path)
        return
    base = kernel_btf()
    yield base
    yield from (btf for _, _, btf in module_btfs(base))
