"""Take apart what a load made: remove its pins, and find out what stays all the same."""

from __future__ import annotations

import errno
import time
from pathlib import Path

from bpfctl.errors import BpfctlError, NotFoundError, OutputError, PathError, SyscallError
from bpfctl.kernel.info import map_info
from bpfctl.linux.mounts import bpffs_mounts, is_bpffs
from bpfctl.objects.denial import CODE, INSIDE, explain_call
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.objects.link import link_info, links
from bpfctl.objects.pin import files_below, id_of, open_pin, pins, unpin
from bpfctl.objects.prog import prog_info
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Final

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.holders_types import Holder, Object

_ORDER: Final = (ObjectKind.LINK, ObjectKind.PROG, ObjectKind.MAP, ObjectKind.BTF)
# Links and programs end some time after their last reference, by a worker (Linux 5.10: always).
_PATIENCE_S: Final = 1.0
_PAUSE_S: Final = 0.02
_SOON_S: Final = 0.1  # what has not ended by itself until then, something keeps


@plain
class Left:
    """An object that is still there, and what keeps it, as far as can be seen.

    `links` are the ids of links that run a program, `programs` those of programs with a map,
    `places` where a program runs without a link, in words.
    """

    kind: ObjectKind
    id: int
    name: str
    pinned: tuple[str, ...] = ()
    holders: tuple[Holder, ...] = ()
    links: tuple[int, ...] = ()
    programs: tuple[int, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether a reason was found."""
        return bool(self.pinned or self.holders or self.links or self.programs or self.places)


@plain
class Unloaded:
    """What was removed, pins and directories; what was detached; and what is left in the kernel."""

    removed: tuple[str, ...]
    left: tuple[Left, ...] = ()
    note: str | None = None
    detached: tuple[str, ...] = ()


@plain
class Pinned:
    """A pin: a path, and the kind and id of what is pinned there."""

    path: str
    kind: ObjectKind
    id: int

    @property
    def key(self) -> Object:
        """The object."""
        return self.kind, self.id

    @property
    def is_part(self) -> bool:
        """Whether it is one of several links that were pinned in a directory made for them."""
        return self.kind is ObjectKind.LINK and Path(self.path).name.isdecimal()


def pins_below(directory: str) -> list[Pinned]:
    """Return all that is pinned below a directory of a bpffs.

    Raises: PathError (no such directory, or one that is not a load's own), OutputError (something
    there is no pin), SyscallError.
    """
    path = Path(directory)
    if not path.is_dir():
        raise NotFoundError("there is no such directory", subject=directory)
    if not is_bpffs(directory):
        raise PathError("this is on no bpf file system", code="not-bpffs", subject=directory)
    if str(path.resolve()) in bpffs_mounts():
        raise PathError(
            "this is a whole bpf file system, not what one load made",
            code="unload-everything",
            subject=directory,
            remedy="name a directory in it",
        )
    return [_pinned(place) for place in files_below(directory)]


def pins_of_program(prog: Fd) -> list[Pinned]:
    """Return the pins of a program and of its links. Raises: SyscallError."""
    number = id_of(ObjectKind.PROG, prog)
    wanted = {(ObjectKind.PROG, number)}
    wanted |= {(ObjectKind.LINK, info.id) for info in links() if info.prog_id == number}
    found = pins()
    return [Pinned(path, *key) for key in sorted(wanted, key=str) for path in found.get(key, ())]


def _pinned(path: str) -> Pinned:
    try:
        kind, fd = open_pin(path, read_only=True)
    except BpfctlError as err:
        lacking = isinstance(err, SyscallError) and explain_call(err).code in {CODE, INSIDE}
        raise OutputError(
            f"this cannot be opened, so nothing is removed: {err.message}",
            code=err.code if lacking else "unload-unknown",
            subject=path,
            evidence=err.evidence,
            remedy=err.remedy,
        ) from err
    with fd:
        return Pinned(path, kind, id_of(kind, fd))


def unload(found: Sequence[Pinned], directory: str | None = None) -> Unloaded:
    """Remove pins, and the directory they are in; links first, so that programs stop running.

    Filters of tc by which a load attached the programs are taken away before.

    Objects that somebody else holds stay, and are in the answer; who may not look objects up is
    told so in the note. Raises: PathError, SyscallError.
    """
    watched, unseen = _watched(found)
    from bpfctl.objects.unload_places import detach_filters

    detached = detach_filters({one.id for one in found if one.kind is ObjectKind.PROG})
    removed = []
    for one in sorted(found, key=lambda one: _ORDER.index(one.kind)):
        unpin(one.path)
        removed.append(one.path)
    if directory:
        removed += _remove_directories([directory, *map(str, Path(directory).rglob("*"))])
    else:
        removed += _remove_directories({str(Path(one.path).parent) for one in found if one.is_part})
    left, note = _what_is_left(watched)
    return Unloaded(tuple(removed), tuple(left), unseen or note, tuple(detached))


def _watched(found: Iterable[Pinned]) -> tuple[list[Object], str | None]:
    """Return what to look for afterwards, or why that cannot be."""
    try:
        return _with_parts(found), None
    except SyscallError as err:
        if err.errno != errno.EPERM:
            raise
        return [], "what stays in the kernel could not be looked up: that takes CAP_SYS_ADMIN"


def _with_parts(found: Iterable[Pinned]) -> list[Object]:
    """Add the programs that links run, and the maps that programs have."""
    keys = dict.fromkeys(one.key for one in found)
    for kind, number in list(keys):
        if kind is ObjectKind.LINK:
            with open_id(kind, number) as fd:
                prog_id = link_info(fd).prog_id
            keys |= {(ObjectKind.PROG, prog_id): None} if prog_id else {}
    for kind, number in list(keys):
        if kind is ObjectKind.PROG:
            with open_id(kind, number) as fd:
                keys |= dict.fromkeys((ObjectKind.MAP, one) for one in prog_info(fd).map_ids)
    return list(keys)


def _remove_directories(folders: Iterable[str]) -> list[str]:
    removed = []
    for folder in sorted(folders, reverse=True):
        try:
            Path(folder).rmdir()
        except OSError:  # somebody pinned more into it
            continue
        removed.append(folder)
    return removed


def _what_is_left(watched: Sequence[Object]) -> tuple[list[Left], str | None]:
    """Look until everything is gone, or something keeps what is not; then say what that is."""
    started = time.monotonic()
    deadline = started + _PATIENCE_S
    places: dict[Object, tuple[str, ...]] | None = None
    while True:
        there = [key for key in watched if _name(key) is not None]
        if not there:
            return [], None
        if places is None and time.monotonic() > started + _SOON_S:
            places = _places(there)
        left, note = _kept(there, places or {})
        if all(one.is_kept for one in left) or time.monotonic() > deadline:
            return left, note
        time.sleep(_PAUSE_S)


def _places(there: Sequence[Object]) -> dict[Object, tuple[str, ...]]:
    """Say where programs run without links: looked up once, for it takes its time."""
    from bpfctl.objects.unload_places import places_of

    return {key: places_of(key[1]) for key in there if key[0] is ObjectKind.PROG}


def _kept(
    there: Sequence[Object], places: Mapping[Object, tuple[str, ...]]
) -> tuple[list[Left], str | None]:
    from bpfctl.objects.holders import holders

    held, pinned = holders(set(there)), pins()
    running = list(links())
    left = []
    for key in there:
        kind, number = key
        left.append(
            Left(
                kind,
                number,
                _name(key) or "",
                tuple(pinned.get(key, ())),
                tuple(held.by.get(key, ())),
                tuple(
                    one.id for one in running if kind is ObjectKind.PROG and one.prog_id == number
                ),
                _users(key),
                places.get(key, ()),
            )
        )
    return left, held.note


def _users(key: Object) -> tuple[int, ...]:
    """Return the programs that have a map."""
    kind, number = key
    if kind is not ObjectKind.MAP:
        return ()
    from bpfctl.objects.prog import programs

    return tuple(one.id for one in programs() if number in one.map_ids)


def _name(key: Object) -> str | None:
    """Return the name of an object; None where it is gone."""
    kind, number = key
    try:
        with open_id(kind, number) as fd:
            if kind is ObjectKind.PROG:
                return prog_info(fd).name
            return map_info(fd).text("name") if kind is ObjectKind.MAP else ""
    except NotFoundError:
        return None
