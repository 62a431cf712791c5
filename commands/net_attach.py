"""What `net attach` and `net detach` do."""

from __future__ import annotations

from contextlib import ExitStack

from bpfctl.errors import UsageError

from .chosen import open_one
from .net_words import parse_attach, parse_detach
from .output import say, write_done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .context import Context
    from .net_words import AttachWords


def attach_words(out: Context, words: Sequence[str]) -> None:
    """Attach a program as the words say. Raises: UsageError, what `net_attach.attach` raises."""
    from bpfctl.objects.net_attach import attach
    from bpfctl.objects.prog import prog_info

    from .attach_notes import note_down

    asked = parse_attach(words)
    with ExitStack() as stack:
        assert asked.prog is not None  # the grammar has one
        prog = stack.enter_context(open_one(asked.prog))
        instead = stack.enter_context(open_one(asked.instead)) if asked.instead else None
        if instead and _is_filter(asked):
            raise UsageError(
                "a filter of tc is replaced by its place, not by its program",
                remedy="overwrite, with priority N and handle N where there are several",
            )
        attach(prog, prog_info(prog), asked.target, overwrite=asked.overwrite, instead=instead)
    note_down(asked.target)
    write_done(out)


def detach_words(out: Context, words: Sequence[str]) -> None:
    """Detach a program as the words say. Raises: UsageError, what `net_attach.detach` raises."""
    from bpfctl.objects.net_attach import detach
    from bpfctl.objects.prog import prog_info

    asked = parse_detach(words)
    with ExitStack() as stack:
        prog = stack.enter_context(open_one(asked.prog)) if asked.prog else None
        done = detach(asked.target, prog, prog_info(prog) if prog else None)
    if not done:
        say(f"{asked.target}: nothing was attached")
    write_done(out)


def _is_filter(asked: AttachWords) -> bool:
    from bpfctl.objects.attach_net_targets import Filter

    return isinstance(asked.target, Filter)
