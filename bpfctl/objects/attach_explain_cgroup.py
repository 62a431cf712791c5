"""Why a program could not be attached to a cgroup. Only imported when that happens."""

from __future__ import annotations

import errno
import os
from difflib import get_close_matches
from pathlib import Path

from bpfctl.errors import BpfctlError, PathError
from bpfctl.kernel.attr_link import prog_query
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.flags import AttachFlags
from bpfctl.linux.cgroups import cgroup2_mounts
from bpfctl.linux.mounts import mounts
from bpfctl.objects.attach_explain_net import explain_order, no_neighbour
from bpfctl.objects.attach_places import open_directory
from bpfctl.objects.attach_words import attach_word, cgroup_attach_type, cgroup_attach_words
from bpfctl.objects.cgroup import MOST_PROGRAMS, forbidding, levels, path_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.errors import SyscallError
    from bpfctl.kernel.attr_link import ProgQuery
    from bpfctl.objects.attach_targets import Cgroup
    from bpfctl.objects.cgroup import Attached
    from bpfctl.objects.prog import ProgInfo

_NOT_THERE: Final = frozenset({errno.ENOENT, errno.EINVAL})
_NAMES_SHOWN: Final = 3
_LONGEST_NAME: Final = 255  # NAME_MAX
_NO_DESCRIPTOR: Final = 2**31 - 1
_V1: Final = "cgroup"
_V2: Final = "cgroup2"


def explain_cgroup(err: SyscallError, prog: ProgInfo, target: Cgroup) -> BpfctlError | None:
    """Return the error to raise instead, or None where `err` will do, with what was found out."""
    elsewhere = no_cgroup(target.path)
    if elsewhere is not None:
        return elsewhere
    order = target.order
    if err.errno == errno.EPERM:
        _forbidden(err, target)
    elif err.errno == errno.E2BIG:
        _full(err, target)
    elif err.errno == errno.ESTALE:
        return explain_order(err, order, lambda: _query(target))
    elif err.errno in _NOT_THERE and order.neighbour_id:
        gone = no_neighbour(order)
        if gone is not None:
            return gone
        neighbour = f"{order.neighbour} {order.neighbour_id}"
        err.candidates.append(f"{neighbour} is not attached there, or by a link and is named by it")
        if err.errno == errno.EINVAL:
            other = "without preorder" if order.preorder else "with preorder"
            err.candidates.append(f"{neighbour} is attached {other}: neighbours are of one kind")
    elif err.errno == errno.EINVAL:
        _loaded_otherwise(err, prog, target)
    return None


def _query(target: Cgroup) -> ProgQuery:
    """Ask what runs there, and the revision of that (Linux 6.17)."""
    with open_directory(target.path) as group:
        found = prog_query(attach_type=target.attach_type, target_fd=group)
        bpf(found)
    return found


def _loaded_otherwise(err: SyscallError, prog: ProgInfo, target: Cgroup) -> None:
    """Find out what the program was loaded for, which the kernel tells nobody."""
    words = fitting_words(prog.id)
    if not words or attach_word(target.attach_type) in words:
        err.candidates.append("the program was loaded for another attach type")
        return
    wanted, loaded = attach_word(target.attach_type), " or ".join(words)
    err.code = "attach-type-differs"
    err.message = f"cannot attach to {target}: the program was loaded for {loaded}, not {wanted}"
    err.evidence.append(f"asked about each attach type, the kernel takes it for {loaded} alone")
    err.remedy = f"attach it as {words[0]}, or load it from a section for {wanted}"


def fitting_words(prog_id: int) -> list[str]:
    """Return the attach types of cgroups that a program may have; none where it cannot be asked.

    The kernel looks at the type first, and then at the cgroup: a descriptor of none is EBADF where
    the type fits, and EINVAL otherwise (link_create, kernel/bpf/syscall.c, Linux 5.7).
    """
    from bpfctl.kernel.attr_link import link_create
    from bpfctl.kernel.bpf import try_bpf
    from bpfctl.objects.ids import ObjectKind, open_id

    found = []
    try:
        with open_id(ObjectKind.PROG, prog_id) as fd:
            for word in cgroup_attach_words():
                kind = cgroup_attach_type(word) or 0
                asked = link_create(prog_fd=fd, target_fd=_NO_DESCRIPTOR, attach_type=kind)
                if try_bpf(asked) == -errno.EBADF:
                    found.append(word)
    except BpfctlError:
        return []
    return found


def no_cgroup(path: str) -> PathError | None:
    """Say what a directory is that is no cgroup of version 2."""
    try:
        device = Path(path).stat().st_dev
    except OSError:  # gone meanwhile, or not ours to see
        device = None
    found = {one.kind: one for one in reversed(mounts()) if one.kind in (_V1, _V2)}
    own = next((one for one in mounts() if one.device == device), None)
    if own and own.kind == _V2:
        return None
    evidence = []
    if own and own.kind == _V1:
        evidence.append(f"{own.point} is a hierarchy of version 1, where no BPF programs run")
    return PathError(
        "this is no cgroup of version 2",
        code="not-cgroup2",
        subject=path,
        evidence=evidence,
        remedy=_remedy(path, own.point if own else "", found[_V2].point if _V2 in found else None),
    )


def _remedy(path: str, within: str, root: str | None) -> str:
    """Name the cgroup of version 2 of the same name, or where they are."""
    if root is None:
        return "mount the hierarchy of version 2: mount -t cgroup2 none DIRECTORY"
    twin = root + os.path.realpath(path).removeprefix(within.rstrip("/") or "/")
    if within and twin != root and Path(twin).is_dir():
        return f"did you mean {twin}?"
    return f"cgroups of version 2 are below {root}"


def nearest_cgroups(path: str) -> list[str]:
    """Return what may have been meant by the path of no directory.

    That is a path within the hierarchy, as `link show` prints it, or a neighbour of a similar name.
    """
    within = [root + path for root in cgroup2_mounts() if path.startswith("/")]
    found = [one for one in within if Path(one).is_dir()][:1]
    parent = Path(path).parent
    try:
        names = [one.name for one in parent.iterdir() if one.is_dir()]
    except OSError:
        names = []
    near = get_close_matches(Path(path).name[:_LONGEST_NAME], names)
    return [*found, *(str(parent / name) for name in near)]


def _forbidden(err: SyscallError, target: Cgroup) -> None:
    """Find the cgroup that admits no other program, and show the way down to the wanted one."""
    way = list(levels(target.path, target.attach_type))
    found = forbidding(way)
    if found is None:
        return
    own = path_within(os.path.realpath(target.path))
    whose = "another program there" if found.path == own else "an ancestor"
    err.message = f"cannot attach to {target}: {whose} forbids it"
    err.code = "cgroup-attach-forbidden"
    width = max(len(path) for path, _ in way)
    for path, level in reversed(way):
        mark = "   <- forbids" if path == found.path else ""
        wanted = "   (wanted here)" if path == own else ""
        err.evidence.append(f"{path:{width}}   {_words(level)}{mark}{wanted}")
    names = _named(found.prog_ids)
    err.remedy = f"attach {names} as a link or with multi, or attach above it"


def _full(err: SyscallError, target: Cgroup) -> None:
    """Count what runs there: a cgroup takes 64 programs for each attach type."""
    _, level = next(iter(levels(target.path, target.attach_type)), ("", None))
    if level is None or len(level.prog_ids) < MOST_PROGRAMS:
        return
    err.message = f"cannot attach to {target}: {MOST_PROGRAMS} programs are attached there already"
    err.code = "cgroup-full"
    err.evidence.append(f"{level.path} runs {_named(level.prog_ids)}, and takes no more")
    err.remedy = "detach some, or attach to another cgroup, such as one below"


def _words(level: Attached | None) -> str:
    """Say what one cgroup runs, and what that lets others do."""
    if level is None:
        return "(cannot be asked)"
    if not level.prog_ids:
        return "-"
    if level.flags & AttachFlags.ALLOW_MULTI:
        how = "with multi"
    elif level.flags & AttachFlags.ALLOW_OVERRIDE:
        how = "with override only"
    else:
        how = "without override or multi"
    return f"{_named(level.prog_ids)}, attached {how}"


def _named(ids: tuple[int, ...]) -> str:
    """Name programs by id and name: "program 44 base_policy", "programs 4, 5"."""
    shown = [_one(number) for number in ids[:_NAMES_SHOWN]]
    more = f" and {len(ids) - len(shown)} more" if len(ids) > len(shown) else ""
    return f"program{'s' if len(ids) > 1 else ''} {', '.join(shown)}{more}"


def _one(number: int) -> str:
    from bpfctl.objects.ids import ObjectKind, open_id
    from bpfctl.objects.prog import prog_info

    try:
        with open_id(ObjectKind.PROG, number) as fd:
            return f"{number} {prog_info(fd).name}".rstrip()
    except BpfctlError:
        return str(number)
