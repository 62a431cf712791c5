"""Open what a selector means."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.select import Selector


@contextmanager
def chosen(selector: Selector) -> Iterator[list[Fd]]:
    """Open all objects a selector means to read them, and close them. Raises: NotFoundError."""
    from bpfctl.objects.select import find

    with ExitStack() as stack:
        yield [stack.enter_context(fd) for fd in find(selector, read_only=True)]


def open_one(selector: Selector) -> Fd:
    """Open the one object a selector means; the caller closes it.

    Raises: NotFoundError, AmbiguousError when it means several.
    """
    from bpfctl.objects.select import find_one

    return find_one(selector)
