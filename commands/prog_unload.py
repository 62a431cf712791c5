"""`prog unload`: take apart what a load made, and say what stays."""

from __future__ import annotations

from pathlib import Path

from bpfctl.errors import BpfctlError, NotFoundError, UsageError

from .chosen import open_one
from .clean import clean
from .output import say, write_json, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.unload import Left, Unloaded

    from .context import Context

_NOTHING_SEEN = (
    "nothing that we can see keeps it (it may be attached without a link, or be in a map)"
)


def unload_chosen(out: Context, words: Sequence[str]) -> None:
    """Unload a directory or a program. Raises: UsageError, NotFoundError, PathError, ..."""
    if not words or not words[0]:
        raise UsageError("expected DIR or PROG: the directory of the pins, or a program")
    try:
        done = _unload(words)
    except BpfctlError as err:
        err.within(operation="prog-unload")
        raise
    if out.json:
        write_json(out, _as_json(done))
    else:
        write_text("".join(f"{clean(_words(one))}\n" for one in done.left))
    if done.note:
        say(clean(done.note))


def _unload(words: Sequence[str]) -> Unloaded:
    from bpfctl.objects.unload import pins_below, unload

    word = words[0]
    if len(words) == 1:
        is_pin = "/" in word and not Path(word).is_dir() and Path(word).exists()
        directory = None if is_pin else word if "/" in word else _directory(word)
        if directory is not None:
            return unload(pins_below(directory), directory)
        if is_pin:
            return _unload_program(_program_at(word), word)
    from bpfctl.objects.ids import ObjectKind

    from .selectors import parse_selector

    return _unload_program(open_one(parse_selector(words, ObjectKind.PROG)), " ".join(words))


def _program_at(path: str) -> Fd:
    """Open the program that is pinned at a path, or whose link is, as `prog load` leaves them."""
    from bpfctl.objects.ids import ObjectKind, open_id
    from bpfctl.objects.link import link_info
    from bpfctl.objects.pin import open_pin

    kind, fd = open_pin(path)
    if kind is ObjectKind.PROG:
        return fd
    with fd:
        number = link_info(fd).prog_id if kind is ObjectKind.LINK else 0
    if not number:
        raise UsageError(
            f"a {kind.value} is pinned here, and no program", subject=path, remedy=f"rm {path}"
        )
    return open_id(ObjectKind.PROG, number)


def _directory(name: str) -> str | None:
    """Find a directory of that name in the first level of a bpffs."""
    from bpfctl.linux.mounts import bpffs_mounts

    places = [Path(mount, name) for mount in bpffs_mounts()]
    return next((str(place) for place in places if place.is_dir()), None)


def _unload_program(program: Fd, words: str) -> Unloaded:
    """Remove the pins of a program and of its links; closes its descriptor."""
    from bpfctl.objects.unload import pins_of_program, unload

    with program:
        found = pins_of_program(program)
    if not found:
        raise NotFoundError(
            "neither the program nor a link of it is pinned",
            code="unload-nothing",
            subject=f"program {words}",
            remedy="what else keeps it: bpfctl prog show",
        )
    return unload(found)


def _words(left: Left) -> str:
    reasons = [f"pinned at {', '.join(left.pinned)}"] if left.pinned else []
    reasons += [f"run by link {', '.join(map(str, left.links))}"] if left.links else []
    reasons += [f"used by program {', '.join(map(str, left.programs))}"] if left.programs else []
    reasons += [f"run at {', '.join(left.places)}"] if left.places else []
    reasons += [f"held by {', '.join(map(str, left.holders))}"] if left.holders else []
    name = f"{left.kind.value} {left.id} {left.name}".rstrip()
    return f"{name} stays: {'; '.join(reasons) or _NOTHING_SEEN}"


def _as_json(done: Unloaded) -> dict[str, object]:
    return {
        "removed": list(done.removed),
        "detached": list(done.detached),
        "left": [
            {
                "kind": one.kind.value,
                "id": one.id,
                "name": one.name,
                "pinned": list(one.pinned),
                "links": list(one.links),
                "programs": list(one.programs),
                "places": list(one.places),
                "pids": [holder.to_json() for holder in one.holders],
            }
            for one in done.left
        ],
    }
