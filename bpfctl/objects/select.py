"""Which objects somebody means: by id, name, tag or pinned path."""

from __future__ import annotations

from bpfctl.errors import AmbiguousError, NotFoundError
from bpfctl.objects.ids import ObjectKind, ids, open_id
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfctl.kernel.fd import Fd


@plain
class Selector:
    """A choice of objects of one kind.

    `by` is "id" (`value` is a decimal number), "name", "tag" (lower-case hexadecimal digits) or
    "pinned" (a path). Ids and pins mean one object, names and tags perhaps several.
    """

    kind: ObjectKind
    by: str
    value: str

    def __str__(self) -> str:
        return f"{self.by} {self.value}"


def find(selector: Selector, *, read_only: bool = False) -> list[Fd]:
    """Open the objects that are meant, at least one, ascending by id; the caller closes them.

    A name is compared with the whole name and with the kernel's, which is cut at 15 bytes;
    of a tag the first digits are enough. `read_only`: of a pin it takes the right to read only.
    Raises: NotFoundError, OutputError (a pin of another kind), PathError, SyscallError.
    """
    if selector.by == "id":
        return [open_id(selector.kind, int(selector.value))]
    if selector.by == "pinned":
        from bpfctl.objects.pin import open_pin

        return [open_pin(selector.value, selector.kind, read_only=read_only)[1]]
    found = _matching(selector.kind, _test(selector))
    if not found:
        raise NotFoundError(f"no {selector.kind.value} has {selector.by} {selector.value}")
    return found


def find_one(selector: Selector) -> Fd:
    """Open the one object that is meant; the caller closes it.

    Raises: what `find` raises, AmbiguousError when several are meant.
    """
    first, *more = find(selector)
    if not more:
        return first
    for fd in (first, *more):
        fd.close()
    raise AmbiguousError(
        f"{len(more) + 1} {selector.kind.value}s match {selector}",
        remedy="choose one by its id",
    )


def _matching(kind: ObjectKind, matches: Callable[[Fd], bool]) -> list[Fd]:
    found: list[Fd] = []
    try:
        for number in ids(kind):
            _keep_matching(kind, number, matches, found)
    except BaseException:
        for fd in found:
            fd.close()
        raise
    return found


def _keep_matching(
    kind: ObjectKind, number: int, matches: Callable[[Fd], bool], found: list[Fd]
) -> None:
    try:
        fd = open_id(kind, number)
    except NotFoundError:  # gone since it was listed
        return
    try:
        if matches(fd):
            found.append(fd)
    finally:
        if fd not in found:
            fd.close()


def _test(selector: Selector) -> Callable[[Fd], bool]:
    """Return the function that says whether an open object is one of those meant."""
    kind, by, value = selector.kind, selector.by, selector.value
    if kind is ObjectKind.PROG and by == "tag":
        return lambda fd: _prog_tag(fd).startswith(value)
    if kind is ObjectKind.PROG:
        return lambda fd: value in _prog_names(fd, value)
    return lambda fd: _short_name(kind, fd) == value


def _prog_tag(fd: Fd) -> str:
    from bpfctl.kernel.info import prog_info

    return prog_info(fd).raw("tag").hex()


def _prog_names(fd: Fd, wanted: str) -> tuple[str, ...]:
    """Return the names of a program; the whole one only where it can be the one wanted."""
    from bpfctl.kernel.info import prog_info as kernel_info
    from bpfctl.objects.prog import prog_info

    short = kernel_info(fd).text("name")
    return (short, prog_info(fd).name) if short and wanted.startswith(short) else (short,)


def _short_name(kind: ObjectKind, fd: Fd) -> str:
    from bpfctl.kernel.info import btf_info, map_info

    return btf_info(fd)[1] if kind is ObjectKind.BTF else map_info(fd).text("name")
