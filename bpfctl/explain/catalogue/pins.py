"""Failures of pins: paths of a bpf file system."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_SINCE: Final = "Pins are there since Linux 4.4, those of links since 5.7."

ENTRIES: Final = (
    Entry(
        "not-bpffs",
        "the path is on no bpf file system",
        "A pin is a file of a bpf file system (bpffs), which is usually mounted at /sys/fs/bpf."
        " Nowhere else can objects be pinned or opened by a path. The kernel says EPERM for such a"
        " path, or EACCES when something is to be opened there: no capability helps.",
        "The device of the directory is compared with those of all mounted bpf file systems"
        " (/proc/self/mountinfo). A container often has its own mounts and sees none.",
        "Choose a path below one of the places that the remedy names, or mount a bpffs:"
        " `mount -t bpf bpf /sys/fs/bpf`. In a container, have that of the host mounted into it.",
        _SINCE,
    ),
    Entry(
        "bpffs-not-mounted",
        "no bpf file system is mounted at /sys/fs/bpf",
        "The directory /sys/fs/bpf is there on every kernel with bpf(2), but it is empty until"
        " somebody mounts a bpf file system at it. systemd does so at boot; small systems and"
        " containers do not, and what is pinned without it would be pinned nowhere.",
        "No mounted bpf file system is behind that directory. Unless `--nomount` is given bpfctl"
        " mounts one itself when something is pinned; then it was not allowed to.",
        "`mount -t bpf bpf /sys/fs/bpf`, which takes CAP_SYS_ADMIN.",
        _SINCE,
    ),
    Entry(
        "pin-exists",
        "something is at that path already",
        "A pin is made where nothing is: the kernel replaces none. A directory of the bpf file"
        " system is also something.",
        "The path exists.",
        "Choose another path, or remove the pin that is there, after a look at what it is:"
        " `bpfctl prog show pinned PATH`. What it pinned goes if nothing else holds it.",
        _SINCE,
    ),
    Entry(
        "pin-parent-missing",
        "the directory of the path does not exist",
        "A bpf file system has directories like any other, and pinning makes none.",
        "The path above the last slash is no directory.",
        "Make it with `mkdir`. `bpfctl prog loadall` makes the last one itself.",
        _SINCE,
    ),
    Entry(
        "pin-name",
        "a bpf file system takes no such name",
        "Names in a bpf file system have no dots, which the kernel keeps for later use, and a pin"
        " is a file, so that its path ends in no slash. The kernel says EPERM for a dot, which is"
        " no matter of rights.",
        "The path is empty, ends in a slash, or has a dot in its last part, and nothing else is"
        " wrong with it.",
        "Choose a name without dots: `x_rodata` rather than `x.rodata`.",
        _SINCE,
    ),
    Entry(
        "pin-read-only",
        "the bpf file system is mounted read-only",
        "Containers often see the bpf file system of the host through a read-only mount: what is"
        " pinned there can be opened, and nothing new can be pinned.",
        "statvfs(3) of the directory says that the mount is read-only.",
        "Mount it writable (`mount -o remount,rw PATH`), or pin on another bpf file system.",
        _SINCE,
    ),
    Entry(
        "not-a-pin",
        "the path is a directory",
        "A program, map or link was to be opened by its pin, and the path is a directory of a bpf"
        " file system, which may hold pins.",
        "The path is on a bpf file system, and is a directory.",
        "Name a file in it; `ls` shows them.",
        _SINCE,
    ),
    Entry(
        "pinned-object-kind",
        "another kind of object is pinned at that path",
        "Programs, maps and links are pinned alike, and only opening one tells what it is. A"
        " command for programs was given the pin of a map, for instance.",
        "The object was opened, and the kernel says what it is (the link in /proc/self/fd).",
        "Use the command of that kind (`bpfctl map show pinned PATH`), or another path.",
        _SINCE,
    ),
)
