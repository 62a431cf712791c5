"""Attach a program and keep the link: by a pin, or by staying."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bpfctl.errors import UsageError

from .chosen import open_one
from .link_words import parse_target
from .output import finish, say
from .render import render_one

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.select import Selector

    from .context import Context
    from .link_show import LinkRecord


def create_and_keep(
    out: Context, selector: Selector, words: Sequence[str], *, pin: str | None, hold: bool
) -> None:
    """Attach a program as the words say. Raises: UsageError (nothing would keep the link), ..."""
    words, pin = _take_pin(words, pin)
    if (pin is None) != hold:
        raise UsageError(
            "a link that nothing keeps ends at once: say what keeps it"
            if pin is None
            else "a pinned link needs no --hold: choose one",
            code="link-unkept",
            remedy="--pin PATH on a bpffs, or --hold to keep it until Ctrl-C",
        )
    from bpfctl.objects.attach import create_link
    from bpfctl.objects.prog import prog_info

    with ExitStack() as stack:
        prog_fd = stack.enter_context(open_one(selector))
        prog = prog_info(prog_fd)
        target = parse_target(words, prog, stack)
        link = stack.enter_context(create_link(prog_fd, prog, target))
        _keep(out, link, pin)


def _take_pin(words: Sequence[str], pin: str | None) -> tuple[list[str], str | None]:
    """Accept `pin PATH` at the end, as other commands have it."""
    if pin is None and len(words) >= 2 and words[-2] == "pin":
        return list(words[:-2]), words[-1]
    return list(words), pin


def _keep(out: Context, link: Fd, path: str | None) -> None:
    if path is None:
        record = _record(link)
        if out.json:
            render_one(out, record)
        _hold(record)
        return
    from .pinning import pin

    pin(out, link, path, lambda: render_one(out, _record(link)) if out.json else None)


def _record(link: Fd) -> LinkRecord:
    from bpfctl.objects.link import link_info

    from .link_show import link_records

    return link_records([link_info(link)])[0][0]


def _hold(record: LinkRecord) -> None:
    """Stay until somebody stops us; the link goes with our last descriptor."""
    signal.signal(signal.SIGTERM, _stop)
    say(f"link {record.info.id}: {record.target.words}: attached until Ctrl-C")
    finish()
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
