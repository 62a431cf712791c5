"""Pins: paths of a bpffs that keep programs, maps and links alive."""

from __future__ import annotations

import errno
import os

from bpfctl.errors import NotFoundError, OutputError, PathError, SyscallError
from bpfctl.kernel.attr_object import obj_get, obj_pin
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.flags import MapFlags
from bpfctl.linux.mounts import BPFFS_PLACE, bpffs_mounts, is_bpffs
from bpfctl.objects.ids import ObjectKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.kernel.fd import Fd

Pins = dict[tuple[ObjectKind, int], list[str]]

# A bpffs holds what people pinned; whoever pins more than this gets an incomplete answer.
_MOST_ENTRIES: Final = 100_000
_MOST_DEPTH: Final = 32
_MOUNT: Final = f"mount -t bpf bpf {BPFFS_PLACE}"

_KIND_OF_FILE: Final = {
    "bpf-prog": ObjectKind.PROG,
    "bpf-map": ObjectKind.MAP,
    "bpf_link": ObjectKind.LINK,
    "bpf-link": ObjectKind.LINK,
    "btf": ObjectKind.BTF,
}


def kind_of_file(target: str) -> ObjectKind | None:
    """Return what a descriptor refers to, from what its link in /proc says.

    "anon_inode:bpf-map", "anon_inode:bpf-prog", "anon_inode:bpf_link" or "anon_inode:btf"
    (anon_inode_getfd in kernel/bpf/syscall.c and btf.c, Linux 6.18); None for all others.
    """
    return _KIND_OF_FILE.get(target.removeprefix("anon_inode:").strip("[]"))


def kind_of(fd: Fd) -> ObjectKind | None:
    """Return what a descriptor of ours refers to; None for what is no BPF object."""
    try:
        return kind_of_file(os.readlink(f"/proc/self/fd/{fd.fileno()}"))
    except OSError:
        return None


def id_of(kind: ObjectKind, fd: Fd) -> int:
    """Return the id of an open object. Raises: SyscallError."""
    from bpfctl.kernel import info as kernel

    if kind is ObjectKind.BTF:
        return kernel.btf_info(fd)[0].number("id") or 0
    read = {
        ObjectKind.PROG: kernel.prog_info,
        ObjectKind.MAP: kernel.map_info,
        ObjectKind.LINK: kernel.link_info,
    }[kind]
    return read(fd).number("id") or 0


def pin(fd: Fd | int, path: str) -> None:
    """Keep an object alive under a path of a bpffs. A failed pin leaves nothing behind.

    Raises: PathError (no bpffs, no directory, taken, a name it does not take), SyscallError.
    """
    try:
        bpf(obj_pin(path, fd if isinstance(fd, int) else fd.fileno()))
    except SyscallError as err:
        found = place_error(path)
        if found is None:
            from bpfctl.objects.denial import explain_call

            explain_call(err).within(subject=path)
            raise
        # The kernel says EPERM for a path on no bpffs: once explained it is no permission's fault.
        raise found from None


def place_error(path: str) -> PathError | None:
    """Say why nothing new can be at a path; None where no check speaks against it."""
    found = _problem(path)
    if found is None:
        return None
    code, problem, remedy = found
    return PathError(f"cannot pin here: {problem}", code=code, subject=path, remedy=remedy)


def _problem(path: str) -> tuple[str, str, str | None] | None:
    """Return what speaks against pinning at a path: a code, the reason, and what to do."""
    if not path:
        return "pin-name", "the path is empty", None
    whole = os.path.abspath(path)
    parent, name = os.path.split(whole)
    if not _may_look(parent):
        return None
    if _is_directory(whole) and is_bpffs(whole):
        return "pin-exists", "it is a directory", f"choose a name in it: {whole}/NAME"
    if not _is_directory(parent):
        remedy = f"mkdir {parent}, on a bpf file system"
        return "pin-parent-missing", f"there is no directory {parent}", remedy
    if not is_bpffs(parent):
        return _no_bpffs(parent)
    if os.path.lexists(path):
        return "pin-exists", "it exists already", f"choose another path, or rm {path}"
    if os.statvfs(parent).f_flag & os.ST_RDONLY:
        remedy = "mount -o remount,rw it, or pin on another bpf file system"
        return "pin-read-only", f"{parent} is mounted read-only", remedy
    return _wrong_name(path, name)


def _no_bpffs(parent: str) -> tuple[str, str, str]:
    """Tell the usual place without its bpffs from a path that is elsewhere."""
    problem = f"{parent} is on no bpf file system"
    if not f"{parent}/".startswith(f"{BPFFS_PLACE}/"):
        return "not-bpffs", problem, f"pin below {_places()}"
    return "bpffs-not-mounted", f"{problem}: none is mounted there", _MOUNT


def _wrong_name(path: str, name: str) -> tuple[str, str, str] | None:
    if "." in name:
        # bpf_lookup() in kernel/bpf/inode.c: "Dots in names are reserved for future use"
        problem = "a bpf file system takes no name with a dot"
        return "pin-name", problem, "choose a name without dots"
    if path.endswith("/"):
        return "pin-name", "a pin is no directory", "leave out the slash at its end"
    return None


def _may_look(path: str) -> bool:
    """Whether we are allowed to find out what a path is; a bpffs says EPERM for names with dots."""
    try:
        os.stat(path)
    except OSError as err:
        return err.errno != errno.EACCES
    return True


def _is_directory(path: str) -> bool:
    return os.path.isdir(path)


def _places() -> str:
    mounts = bpffs_mounts()
    if mounts:
        return " or ".join(mounts[:3])
    return f"{BPFFS_PLACE}, after: {_MOUNT}"


def unpin(path: str) -> None:
    """Remove a pin. Raises: PathError."""
    try:
        os.unlink(path)
    except OSError as err:
        raise PathError(f"cannot unpin: {(err.strerror or '').lower()}", subject=path) from err


def open_pin(
    path: str, kind: ObjectKind | None = None, *, read_only: bool = False
) -> tuple[ObjectKind, Fd]:
    """Open what is pinned at a path, and say what it is; the caller closes it.

    `read_only` needs no more than the right to read the file: a map opened so cannot be written.
    Raises: NotFoundError (nothing there), PathError (not on a bpffs), OutputError (not the kind
    that was asked for), SyscallError.
    """
    try:
        fd = _open(path, kind, read_only=read_only)
    except SyscallError as err:
        reason = _explain_open(path, err)
        # EACCES for a file on no bpffs: once explained it is no permission's fault.
        raise reason from (None if isinstance(reason, PathError) else err)
    found = kind_of(fd)
    if found is not None and found is (kind or found):
        return found, fd
    fd.close()
    wanted = kind.value if kind else "program, map or link"
    raise OutputError(
        f"a {found.value if found else 'thing we do not know'} is pinned here, not a {wanted}",
        code="pinned-object-kind",
        subject=path,
    )


def _open(path: str, kind: ObjectKind | None, *, read_only: bool) -> Fd:
    """Open a pin; links are opened in one way only, and answer EINVAL to another.

    Source: bpf_obj_get_user() and bpf_obj_do_get(), kernel/bpf/inode.c, Linux 5.8.
    """
    if not read_only or kind is ObjectKind.LINK:
        return bpf_fd(obj_get(path))
    try:
        return bpf_fd(obj_get(path, MapFlags.RDONLY))
    except SyscallError as err:
        if err.errno != errno.EINVAL or kind is not None:
            raise
    return bpf_fd(obj_get(path))


def _explain_open(path: str, err: SyscallError) -> Exception:
    if err.errno == errno.ENOENT:
        return NotFoundError("nothing is pinned here", subject=path, evidence=_elsewhere(path))
    if not _may_look(path):
        return err.within(subject=path)
    if err.errno in (errno.EACCES, errno.EINVAL) and not is_bpffs(path):
        return PathError("this is on no bpf file system", code="not-bpffs", subject=path)
    if err.errno == errno.EACCES and os.path.isdir(path):
        return PathError("this is a directory", code="not-a-pin", subject=path)
    from bpfctl.objects.denial import explain_call

    return explain_call(err).within(subject=path)


def _elsewhere(path: str) -> list[str]:
    """Say so where nothing can be pinned at a path: the directory is on another file system."""
    parent = os.path.dirname(os.path.abspath(path))
    is_other = _may_look(parent) and _is_directory(parent) and not is_bpffs(parent)
    return [f"{parent} is on no bpf file system"] if is_other else []


def pins() -> Pins:
    """Return all pinned paths by what is pinned: walks every bpffs that is mounted here.

    Symbolic links are not followed. What cannot be opened is left out, and so is what lies
    deeper than 32 directories or behind 100,000 entries. Raises nothing.
    """
    found: Pins = {}
    for root in bpffs_mounts():
        for path in files_below(root):
            entry = _pinned(path)
            if entry is not None:
                found.setdefault(entry, []).append(path)
    return found


def _pinned(path: str) -> tuple[ObjectKind, int] | None:
    try:
        kind, fd = open_pin(path, read_only=True)
        with fd:
            return kind, id_of(kind, fd)
    except (NotFoundError, OutputError, PathError, SyscallError):
        return None


def files_below(root: str) -> Iterator[str]:
    """Yield the files below a directory of a bpffs, those of one directory by name."""
    pending, budget = [(root, 0)], _MOST_ENTRIES
    while pending:
        folder, depth = pending.pop()
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in listed[:budget]:
            if entry.is_file(follow_symlinks=False):
                yield entry.path
            elif entry.is_dir(follow_symlinks=False) and depth < _MOST_DEPTH:
                pending.append((entry.path, depth + 1))
        budget -= min(budget, len(listed))
