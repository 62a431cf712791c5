"""Everything about one kernel's header: written, compiled, and programs for it made ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfctl.btf.decode import Btf
from tests.headers import sources
from tests.headers.targets import chosen

if TYPE_CHECKING:
    from pathlib import Path

    from bpfctl.btf.contexts import Context

TRAMPOLINE = ("lsm", "fentry", "fexit")


def build(types: bytes, traceable: frozenset[str], place: Path, clang: str) -> dict[str, int]:
    """Write and compile all for the kernel with these types; return what there is of each.

    Raises: CompilerError when a struct or member is not where the kernel has it, or a program
    does not compile.
    """
    btf = Btf.parse(types)
    sources.write_header(btf, place)
    layout = place / "layout.bpf.c"
    counts = {"layout": sources.write_assertions(btf, layout)}
    sources.compile_source(clang, layout, "-fsyntax-only")
    contexts = chosen(btf, traceable)
    for word, some in contexts.items():
        counts[word] = len(some)
        _compile(clang, place, word, some, btf)
    live = place / "live.bpf.c"
    live.write_bytes(sources.LIVE.read_bytes())
    options = ("-DWITH_TRAMPOLINE",) if set(TRAMPOLINE) <= set(contexts) else ()
    sources.compile_source(clang, live, *options, "-c", "-o", "live.bpf.o")
    return counts


def _compile(clang: str, place: Path, word: str, contexts: list[Context], btf: Btf) -> None:
    source = place / f"{word}.bpf.c"
    sources.write_programs(btf, contexts, source)
    sources.compile_source(clang, source, "-c", "-o", f"{word}.bpf.o")


def thin(place: Path) -> None:
    """Leave only the objects."""
    for path in place.iterdir():
        if path.suffix != ".o":
            path.unlink()
