"""Everything about one kernel's header: written, compiled, and programs for it made ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfctl.btf.c_dump import c_header
from bpfctl.btf.contexts import all_contexts
from bpfctl.btf.decode import Btf
from tests.headers import sources
from tests.headers.peer import declared, peer_header
from tests.headers.targets import chosen, live

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = "programs.h"  # with the contexts of the programs only: to read all takes seconds


def build(types: bytes, place: Path, clang: str, *, trampoline: bool) -> dict[str, int]:
    """Write and compile all for the kernel with these types; return what there is of each.

    With `trampoline` the live programs are on functions and security hooks too.
    Raises: CompilerError when a struct or member is not where the kernel has it, or a program
    does not compile.
    """
    btf = Btf.parse(types)
    counts = {"declared": _compare(types, btf, place)}
    sources.write_header(btf, place / sources.HEADER, list(all_contexts(btf)))
    layout = place / "layout.bpf.c"
    counts["layout"] = sources.write_assertions(btf, layout)
    sources.compile_source(clang, layout, "-fsyntax-only")
    contexts = chosen(btf)
    used = {one.name: one for some in (live(btf), *contexts.values()) for one in some}
    sources.write_header(btf, place / PROGRAMS, list(used.values()))
    for word, some in contexts.items():
        counts[word] = len(some)
        source = place / f"{word}.bpf.c"
        sources.write_programs(btf, some, source, PROGRAMS)
        sources.compile_source(clang, source, "-c", "-o", f"{word}.bpf.o")
    copied = place / "live.bpf.c"
    copied.write_bytes(sources.LIVE.read_bytes())
    options = ("-DWITH_TRAMPOLINE",) if trampoline else ()
    sources.compile_source(clang, copied, *options, "-c", "-o", "live.bpf.o")
    return counts


def _compare(types: bytes, btf: Btf, place: Path) -> int:
    """See that all is declared that bpftool's header has; return how much that is.

    Raises: CompilerError.
    """
    source = place / "types"
    source.write_bytes(types)
    theirs = declared(peer_header(source))
    lacking = theirs - declared("".join(c_header(btf)))
    if lacking:
        raise sources.CompilerError(f"bpftool also declares {', '.join(sorted(lacking))}")
    return len(theirs)


def thin(place: Path) -> None:
    """Leave only the objects."""
    for path in place.iterdir():
        if path.suffix != ".o":
            path.unlink()
