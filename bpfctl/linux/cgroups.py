"""Control groups of version 2, by their ids.

The id of a cgroup is the inode number of its directory (kernfs, 64 bits; cgroup_id() in
include/linux/cgroup.h, Linux 5.5).
"""

from __future__ import annotations

import os

from bpfctl.linux.mounts import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Final

# A machine has thousands of cgroups, not millions; the walk ends there.
_MOST_DIRECTORIES: Final = 200_000


def cgroup2_mounts() -> list[str]:
    """Return where hierarchies of version 2 are mounted."""
    return [mount.point for mount in mounts() if mount.kind == "cgroup2"]


def cgroup_id(path: str) -> int | None:
    """Return the id of the cgroup at a path; None where there is no such directory."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def cgroup_paths(ids: Collection[int], roots: Collection[str] | None = None) -> dict[int, str]:
    """Return the paths of cgroups within their hierarchy ("/system.slice/web"; "/" is the root).

    One walk finds all; it ends early when nothing is missing. Ids outside the part that is
    mounted (a container's view) and those of removed cgroups are left out.
    """
    missing = {number for number in ids if number}
    found: dict[int, str] = {}
    for root in cgroup2_mounts() if roots is None else roots:
        if missing:
            _walk(root, missing, found)
    return found


def _walk(root: str, missing: set[int], found: dict[int, str]) -> None:
    for folder in walk_cgroups(root):
        inode = cgroup_id(folder)
        if inode in missing:
            missing.discard(inode)
            found[inode] = folder[len(root) :] or "/"
        if not missing:
            return


def walk_cgroups(root: str) -> Iterator[str]:
    """Yield the directories of a hierarchy, parents first; those that vanish are left out."""
    pending, budget = [root], _MOST_DIRECTORIES
    while pending and budget:
        folder, budget = pending.pop(), budget - 1
        yield folder
        try:
            with os.scandir(folder) as entries:
                pending += [e.path for e in entries if e.is_dir(follow_symlinks=False)]
        except OSError:
            continue


def is_populated(folder: str) -> bool | None:
    """Say whether a process is in a cgroup or below it; None where that cannot be read.

    Source: "populated" in cgroup.events, Documentation/admin-guide/cgroup-v2.rst (Linux 4.5). The
    root has no such file and is never empty.
    """
    try:
        with open(f"{folder}/cgroup.events", encoding="ascii") as file:
            words = file.read().split()
    except OSError:
        return None
    return "1" in words[words.index("populated") + 1 :][:1] if "populated" in words else None
