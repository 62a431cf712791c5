"""Flags of the UAPI that are macros or anonymous enums in C (include/uapi/linux/bpf.h, Linux 7.3).

Type information names no macros, so these are written by hand; a test compares those that are
enums with a kernel's. The version after a flag is the first kernel that has it, where that is
later than the oldest we support (5.10).
"""

from __future__ import annotations

from bpfctl.plain_enum import IntFlag


class MapFlags(IntFlag):
    """Flags of MAP_CREATE (BPF_F_*)."""

    NO_PREALLOC = 1 << 0
    NO_COMMON_LRU = 1 << 1
    NUMA_NODE = 1 << 2
    RDONLY = 1 << 3
    WRONLY = 1 << 4
    STACK_BUILD_ID = 1 << 5
    ZERO_SEED = 1 << 6
    RDONLY_PROG = 1 << 7
    WRONLY_PROG = 1 << 8
    CLONE = 1 << 9
    MMAPABLE = 1 << 10
    PRESERVE_ELEMS = 1 << 11
    INNER_MAP = 1 << 12
    LINK = 1 << 13  # 6.4, struct_ops
    PATH_FD = 1 << 14  # 6.5, of OBJ_PIN and OBJ_GET
    VTYPE_BTF_OBJ_FD = 1 << 15  # 6.9
    TOKEN_FD = 1 << 16  # 6.9
    SEGV_ON_FAULT = 1 << 17  # 6.9, arenas
    NO_USER_CONV = 1 << 18  # 6.9, arenas
    RB_OVERWRITE = 1 << 19  # 6.19, ring buffers


class UpdateFlags(IntFlag):
    """Flags of MAP_UPDATE_ELEM and, from LOCK on, MAP_LOOKUP_ELEM: 0 for any key (BPF_ANY)."""

    NOEXIST = 1
    EXIST = 2
    LOCK = 4
    CPU = 8  # after 6.18: the number of the CPU is in the upper 32 bits
    ALL_CPUS = 16  # after 6.18


class ProgFlags(IntFlag):
    """Flags of PROG_LOAD (BPF_F_*)."""

    STRICT_ALIGNMENT = 1 << 0
    ANY_ALIGNMENT = 1 << 1
    TEST_RND_HI32 = 1 << 2
    TEST_STATE_FREQ = 1 << 3
    SLEEPABLE = 1 << 4
    XDP_HAS_FRAGS = 1 << 5  # 5.18
    XDP_DEV_BOUND_ONLY = 1 << 6  # 6.3
    TEST_REG_INVARIANTS = 1 << 7  # 6.8
    TOKEN_FD = 1 << 16  # 6.9


class AttachFlags(IntFlag):
    """Flags of PROG_ATTACH and LINK_CREATE on cgroups, tcx and netkit (BPF_F_*)."""

    ALLOW_OVERRIDE = 1 << 0
    ALLOW_MULTI = 1 << 1
    REPLACE = 1 << 2
    BEFORE = 1 << 3  # 6.6
    AFTER = 1 << 4  # 6.6
    ID = 1 << 5  # 6.6: `relative` is an id, not a descriptor
    PREORDER = 1 << 6  # 6.15
    LINK = 1 << 13  # 6.6: `relative` is a link, not a program


class QueryFlags(IntFlag):
    """Flags of PROG_QUERY."""

    EFFECTIVE = 1 << 0  # those of the ancestors too


class RunFlags(IntFlag):
    """Flags of PROG_TEST_RUN."""

    ON_CPU = 1 << 0
    XDP_LIVE_FRAMES = 1 << 1  # 5.18
    SKB_CHECKSUM_COMPLETE = 1 << 2  # 6.11


class XdpFlags(IntFlag):
    """Flags of XDP links: how the packet reaches the program (include/uapi/linux/if_link.h)."""

    UPDATE_IF_NOEXIST = 1 << 0
    SKB_MODE = 1 << 1
    DRV_MODE = 1 << 2
    HW_MODE = 1 << 3
    REPLACE = 1 << 4


class LogLevel(IntFlag):
    """Levels of the verifier's log (include/linux/bpf_verifier.h)."""

    BRANCHES = 1
    STATES = 2
    STATS = 4
    FIXED = 8  # 6.4: keep the beginning of a log that does not fit
