"""Attach a program and keep the link: by a pin, or by staying."""

from __future__ import annotations

import time
from contextlib import ExitStack

from bpfctl.errors import NotSupportedError, UsageError
from bpfctl.objects.ids import ObjectKind
from bpfctl.plain import plain
from bpfctl.plain_signal import signal

from .chosen import open_one
from .link_words import parse_target
from .output import finish, say, write_done
from .render import render, render_one
from .selectors import parse_selector, take_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_targets import Target
    from bpfctl.objects.prog import ProgInfo
    from bpfctl.objects.select import Selector

    from .context import Context
    from .link_show import LinkRecord


@plain
class Held:
    """An attachment that is no link."""

    prog_id: int
    prog_name: str
    attached_to: str

    def to_json(self) -> dict[str, object]:
        """The fields that a link would have too."""
        return {
            "prog_id": self.prog_id,
            "prog_name": self.prog_name,
            "attached_to": self.attached_to,
        }


def create_and_keep(out: Context, words: Sequence[str], *, pin: str | None, hold: bool) -> None:
    """Attach a program as the words say. Raises: UsageError (nothing would keep the link), ..."""
    words, pin = _take_pin(words, pin)
    if words[:1] == ["struct_ops"]:
        _link_ops(out, words[1:], pin=_kept(pin, hold=hold))
        return
    selector, words = take_selector(words, ObjectKind.PROG)
    pin = _kept(pin, hold=hold)
    from bpfctl.objects.attach_lacking import LINK_LACKING
    from bpfctl.objects.attach_several import create_links
    from bpfctl.objects.prog import prog_info

    with ExitStack() as stack:
        prog_fd = stack.enter_context(open_one(selector))
        prog = prog_info(prog_fd)
        target = parse_target(words, prog, stack)
        try:
            links = create_links(prog_fd, prog, target)
        except NotSupportedError as err:
            if not hold or err.code != LINK_LACKING:
                raise
            _hold_otherwise(out, prog_fd, prog, target, err)
            return
        for link in links:
            stack.enter_context(link)
        from .attach_notes import note_down, note_lsm

        note_lsm([(prog.name, prog.type)])
        note_down(target)
        _keep(out, links, pin)


def _kept(pin: str | None, *, hold: bool) -> str | None:
    """Return the pin. Raises: UsageError unless there is either a pin or somebody who stays."""
    if (pin is None) == hold:
        return pin
    raise UsageError(
        "a link that nothing keeps ends at once: say what keeps it"
        if pin is None
        else "a pinned link needs no --hold: choose one",
        code="link-unkept",
        remedy="--pin PATH on a bpffs, or --hold to keep it until Ctrl-C",
    )


def _link_ops(out: Context, words: Sequence[str], *, pin: str | None) -> None:
    """Link a struct_ops map that is filled: what it implements is used while the link is there."""
    from bpfctl.objects.attach_ops import link_struct_ops

    with open_one(parse_selector(words, ObjectKind.MAP)) as fd, link_struct_ops(fd) as link:
        _keep(out, [link], pin)


def update_ops(out: Context, link: Selector, words: Sequence[str]) -> None:
    """Have the kernel use another struct_ops map, of the same struct and name."""
    from bpfctl.objects.link_update import update

    with (
        open_one(parse_selector(words, ObjectKind.MAP)) as ops,
        open_one(link) as link_fd,
    ):
        update(link_fd, ops)
    write_done(out)


def _hold_otherwise(
    out: Context, prog_fd: Fd, prog: ProgInfo, target: Target, err: NotSupportedError
) -> None:
    """Do what kernels without such links can: attach for as long as we stay."""
    from bpfctl.objects.attach_held import HoldTarget, held

    if not isinstance(target, HoldTarget):
        raise err
    with held(prog_fd, prog, target):
        if out.json:
            render_one(out, Held(prog.id, prog.name, str(target)))
        _stay(f"program {prog.id}: {target}: attached without a link until Ctrl-C")


def _take_pin(words: Sequence[str], pin: str | None) -> tuple[list[str], str | None]:
    """Accept `pin PATH` at the end, as other commands have it."""
    if pin is None and len(words) >= 2 and words[-2] == "pin":
        return list(words[:-2]), words[-1]
    return list(words), pin


def _keep(out: Context, links: Sequence[Fd], path: str | None) -> None:
    if path is None:
        records = _answer(out, links)
        numbers = ", ".join(str(one.info.id) for one in records)
        what = f"link{'s' if len(records) > 1 else ''} {numbers}: {records[0].target.words}"
        _stay(f"{what}: attached until Ctrl-C")
        return
    from .pinning import pin

    pin(out, links, path, lambda: _answer(out, links) if out.json else None)


def _answer(out: Context, links: Sequence[Fd]) -> list[LinkRecord]:
    """Tell of the links in JSON: an object, or an array where there are several."""
    from bpfctl.objects.link import link_info

    from .link_show import link_records

    records = link_records([link_info(link) for link in links])[0]
    if out.json and len(records) == 1:
        render_one(out, records[0])
    elif out.json:
        render(out, records, ())
    return records


def _stay(words: str) -> None:
    """Stay until somebody stops us; what is attached goes with our last descriptor."""
    try:
        signal.signal(signal.SIGTERM, _stop)
        say(words)
        finish()
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
