"""A large CO-RE object, made when it is measured: the same source gives the same bytes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.tools.build_objects import COMPILER, FLAGS, SOURCES

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = 40
# Members that every kernel from 5.10 on has, under these names.
MEMBERS = {
    "task_struct": ("pid", "tgid", "flags"),
    "mm_struct": ("total_vm", "map_count"),
    "file": ("f_flags", "f_mode"),
    "inode": ("i_ino", "i_nlink"),
    "sock": ("sk_rcvbuf", "sk_sndbuf"),
    "sk_buff": ("len", "data_len"),
    "net_device": ("ifindex", "mtu"),
    "super_block": ("s_magic", "s_flags"),
    "vm_area_struct": ("vm_start", "vm_end"),
    "cred": ("securebits",),
    "dentry": ("d_flags",),
    "bio": ("bi_opf",),
    "request": ("cmd_flags",),
    "rq": ("nr_running",),
    "pid": ("level",),
    "cgroup": ("level",),
    "signal_struct": ("nr_threads",),
    "kmem_cache": ("object_size",),
}
HEAD = """\
#include "bpf.h"
static long (*const probe_read_kernel)(void *, unsigned int, const void *) = (void *)113;
#define READ(type, member) ({ unsigned int v = 0; \\
    probe_read_kernel(&v, sizeof(v), &((struct type *)p)->member); v; })
"""


def source() -> str:
    """The C source: programs that each read every member."""
    structs = [
        f"struct {name} {{ {' '.join(f'unsigned int {member};' for member in members)} }} __core;"
        for name, members in MEMBERS.items()
    ]
    reads = "".join(
        f"\tsum += READ({name}, {member});\n"
        for name, members in MEMBERS.items()
        for member in members
    )
    programs = [
        f'SEC("raw_tp/sys_enter") int reader_{number}(void **ctx)\n'
        f"{{\n\tconst void *p = *ctx;\n\tunsigned int sum = {number};\n{reads}\treturn sum & 1;\n}}"
        for number in range(PROGRAMS)
    ]
    return "\n".join([HEAD, *structs, *programs, ""])


def build(folder: Path) -> Path:
    """Compile it; return where it is."""
    code, made = folder / "large.bpf.c", folder / "large.bpf.o"
    code.write_text(source())
    flags = [*FLAGS, f"-ffile-prefix-map={folder}=", "-I", str(SOURCES)]
    subprocess.run([COMPILER, *flags, "-c", str(code), "-o", str(made)], check=True)
    return made
