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

    from bpfctl.objects.unload import Left, Unloaded

    from .context import Context

_NOTHING_SEEN = (
    "nothing that we can see keeps it (it may be attached without a link, or be in a map)"
)


def unload_chosen(out: Context, words: Sequence[str]) -> None:
    """Unload a directory or a program. Raises: UsageError, NotFoundError, PathError, ..."""
    if len(words) != 1 or not words[0]:
        raise UsageError("expected DIR or NAME: the directory of the pins, or a program")
    try:
        done = _unload(words[0])
    except BpfctlError as err:
        err.within(operation="prog-unload")
        raise
    if out.json:
        write_json(out, _as_json(done))
    else:
        write_text("".join(f"{clean(_words(one))}\n" for one in done.left))
    if done.note:
        say(clean(done.note))


def _unload(word: str) -> Unloaded:
    from bpfctl.objects.unload import pins_below, unload

    directory = word if "/" in word else _directory(word)
    if directory is not None:
        return unload(pins_below(directory), directory)
    return _unload_program(word)


def _directory(name: str) -> str | None:
    """Find a directory of that name in the first level of a bpffs."""
    from bpfctl.linux.mounts import bpffs_mounts

    places = [Path(mount, name) for mount in bpffs_mounts()]
    return next((str(place) for place in places if place.is_dir()), None)


def _unload_program(name: str) -> Unloaded:
    from bpfctl.objects.ids import ObjectKind
    from bpfctl.objects.unload import pins_of_program, unload

    from .selectors import parse_selector

    with open_one(parse_selector([name], ObjectKind.PROG)) as fd:
        found = pins_of_program(fd)
    if not found:
        raise NotFoundError(
            "neither the program nor a link of it is pinned",
            code="unload-nothing",
            subject=f"program {name}",
            remedy="what else keeps it: bpfctl prog show",
        )
    return unload(found)


def _words(left: Left) -> str:
    reasons = [f"pinned at {', '.join(left.pinned)}"] if left.pinned else []
    reasons += [f"run by link {', '.join(map(str, left.links))}"] if left.links else []
    reasons += [f"used by program {', '.join(map(str, left.programs))}"] if left.programs else []
    reasons += [f"held by {', '.join(map(str, left.holders))}"] if left.holders else []
    name = f"{left.kind.value} {left.id} {left.name}".rstrip()
    return f"{name} stays: {'; '.join(reasons) or _NOTHING_SEEN}"


def _as_json(done: Unloaded) -> dict[str, object]:
    return {
        "removed": list(done.removed),
        "left": [
            {
                "kind": one.kind.value,
                "id": one.id,
                "name": one.name,
                "pinned": list(one.pinned),
                "links": list(one.links),
                "programs": list(one.programs),
                "pids": [holder.to_json() for holder in one.holders],
            }
            for one in done.left
        ],
    }
