"""Pin what somebody chose or made, and answer; a command that fails leaves no pin."""

from __future__ import annotations

from bpfctl.errors import BpfctlError, UsageError

from .chosen import open_one
from .output import finish, write_done
from .selectors import expect_end, take_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.ids import ObjectKind

    from .context import Context


def pin_chosen(out: Context, words: Sequence[str], kind: ObjectKind, operation: str) -> None:
    """Pin the object that the first words choose, where the last one says.

    Raises: UsageError, NotFoundError, AmbiguousError, PathError, SyscallError.
    """
    try:
        selector, rest = take_selector(words, kind)
        if not rest:
            raise UsageError(f"where to? expected {kind.name} PATH")
        path, *more = rest
        expect_end(more)
        with open_one(selector) as fd:
            pin(out, [fd], path)
    except BpfctlError as err:
        err.within(operation=operation)
        raise


def pin(
    out: Context, fds: Sequence[Fd], path: str, answer: Callable[[], object] | None = None
) -> None:
    """Pin objects and write the answer; the pins go again when that cannot be written.

    Several are pinned in a directory, by their numbers.

    Raises: PathError, SyscallError.
    """
    from bpfctl.loader.pins import PinSet

    pins = PinSet(mount=not out.no_mount)
    try:
        pins.pin_each(fds, path)
        if answer is None:
            write_done(out)
        else:
            answer()
        finish()
    except BaseException:
        pins.undo()
        raise
