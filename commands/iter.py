"""`bpfctl iter`: run iterators, or pin them to be read as files."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

from bpfctl.errors import BpfctlError, SyscallError, UsageError

from .declare import Argument, Noun
from .load_options import Program  # noqa: TC001 - read at run time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Annotated

    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_targets import Iter

    from .declare import Call

_WALKED = "[map MAP | pid N | tid N | pidfd FD | cgroup DIR|id N [order ORDER]]"
app = Noun("Run iterators, or pin them to be read as files.")


@app.command()
def pin(
    call: Call,
    words: Annotated[
        list[str] | None, Argument(metavar=f"OBJ PATH {_WALKED}", help="As in bpftool.")
    ] = None,
    program: Program = None,
) -> None:
    """Load an iterator and pin it: reading the path runs it.

    OBJ is an object file, PATH a place on a bpffs, MAP the map that an iterator over the
    elements of a map walks (id N, name NAME or pinned PATH). Others walk one process or thread, or
    cgroups from one on.
    """
    if not words or len(words) < 2:
        raise UsageError("expected OBJ PATH: the object file, and where to pin")
    obj, path, *rest = words
    from .pinning import pin as pin_at

    with _linked(obj, rest, program, "iter-pin") as link:
        pin_at(call.out, [link], path)


@app.command()
def run(
    call: Call,
    words: Annotated[
        list[str] | None, Argument(metavar=f"OBJ {_WALKED}", help="As in `iter pin`.")
    ] = None,
    program: Program = None,
) -> None:
    """Load an iterator and show what it prints; nothing is pinned and nothing is left."""
    if not words:
        raise UsageError("expected OBJ: the object file")
    obj, *rest = words
    from bpfctl.objects.iter import open_iter, read_iter

    from .iter_output import write_output

    with _linked(obj, rest, program, "iter-run") as link, open_iter(link) as walk:
        write_output(call.out, read_iter(walk))


@contextmanager
def _linked(obj: str, words: Sequence[str], name: str | None, operation: str) -> Iterator[Fd]:
    """Load one iterator of an object and link it, for as long as somebody needs the link."""
    from bpfctl.loader.options import LoadOptions

    from .link_iter_words import parse_iter
    from .loading import load, read

    with ExitStack() as stack:
        target = parse_iter(list(words), stack)
        spec = read(obj, operation)
        chosen = _iterator(spec, name)
        options = LoadOptions(programs=frozenset({chosen}))
        loaded = stack.enter_context(load(spec, options, operation))
        try:
            link = stack.enter_context(_link(loaded.programs[chosen].fd, target))
        except BpfctlError as err:
            err.within(operation=operation, subject=obj, program=chosen)
            raise
        yield link


def _link(fd: Fd, target: Iter) -> Fd:
    """Link an iterator. Raises: UsageError (a parameter it lacks), SyscallError, ..."""
    from bpfctl.objects.attach_iter import lacks_cgroup, link_iterator
    from bpfctl.objects.prog import prog_info

    try:
        return link_iterator(fd, target)
    except SyscallError as err:
        found = lacks_cgroup(err, prog_info(fd), target)
        raise (found or err) from err


def _iterator(spec: ObjectSpec, name: str | None) -> str:
    """Name the iterator that is meant: the first of the object unless somebody chose."""
    from bpfctl.elf.section_def import AttachKind

    names = [one.name for one in spec.programs if one.section.kind is AttachKind.ITER]
    if name is None and names:
        return names[0]
    if name in names:
        return name
    there = f"its iterators: {', '.join(names)}" if names else None
    what = f"no iterator is called {name}" if name else "no program of it is an iterator"
    raise UsageError(what, code="no-iterator", subject=spec.path, remedy=there)
