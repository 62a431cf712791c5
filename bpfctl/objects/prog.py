"""Programs in the kernel."""

from __future__ import annotations

import time

from bpfctl.errors import NotFoundError
from bpfctl.kernel import info as kernel
from bpfctl.kernel.names import known, label
from bpfctl.kernel.uapi import ProgType
from bpfctl.linux.fdinfo import own_fdinfo
from bpfctl.objects.ids import ObjectKind, ids, open_id
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.kernel.fd import Fd
    from bpfctl.kernel.info import Info

_CUT_NAME_BYTES: Final = 15  # BPF_OBJ_NAME_LEN counts the zero
_BILLION: Final = 1_000_000_000


@plain
class ProgInfo:
    """A loaded program. None is what this kernel does not tell, or withholds from us.

    `name` is the whole name of its main function where type information has it; the kernel itself
    keeps 15 bytes (`kernel_name`). `loaded_at` is in seconds since 1970, sizes are in bytes.
    `bytes_jited` is 0 for a program that is interpreted. Run times count only while statistics
    are enabled. `attach_btf_id` is a type in the BTF object `attach_btf_obj_id`.
    """

    id: int
    type: ProgType | int
    name: str
    kernel_name: str
    tag: str
    gpl_compatible: bool
    loaded_at: int | None
    uid: int | None
    bytes_xlated: int
    bytes_jited: int
    bytes_memlock: int | None
    map_ids: tuple[int, ...]
    btf_id: int | None
    ifindex: int
    run_time_ns: int | None
    run_cnt: int | None
    recursion_misses: int | None
    verified_insns: int | None
    attach_btf_obj_id: int | None
    attach_btf_id: int | None

    @property
    def type_name(self) -> str | int:
        """The type in bpftool's words, or its number."""
        return label(ProgType, self.type)

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys, and ours: "verified_insns", "attach_btf_id"..."""
        fields: dict[str, object] = {"id": self.id, "type": self.type_name}
        if self.name:
            fields["name"] = self.name
        fields |= {"tag": self.tag, "gpl_compatible": self.gpl_compatible}
        fields |= self._statistics()
        if self.ifindex:
            fields["ifindex"] = self.ifindex
        if self.loaded_at is not None:
            fields |= {"loaded_at": self.loaded_at, "uid": self.uid}
        fields |= {"bytes_xlated": self.bytes_xlated, "jited": bool(self.bytes_jited)}
        rest: dict[str, object] = {
            "bytes_jited": self.bytes_jited,
            "bytes_memlock": self.bytes_memlock,
            "map_ids": list(self.map_ids),
            "btf_id": self.btf_id,
            "verified_insns": self.verified_insns,
            "attach_btf_obj_id": self.attach_btf_obj_id,
            "attach_btf_id": self.attach_btf_id,
        }
        return fields | {name: value for name, value in rest.items() if value}

    def _statistics(self) -> dict[str, object]:
        """What bpftool shows once a program ran with statistics enabled."""
        fields: dict[str, object] = {}
        if self.run_time_ns:
            fields |= {"run_time_ns": self.run_time_ns, "run_cnt": self.run_cnt}
        if self.recursion_misses:
            fields["recursion_misses"] = self.recursion_misses
        return fields


def programs() -> Iterator[ProgInfo]:
    """Yield every program, ascending by id; one that vanishes meanwhile is skipped.

    Raises: SyscallError (EPERM without CAP_SYS_ADMIN).
    """
    for prog_id in ids(ObjectKind.PROG):
        try:
            with open_id(ObjectKind.PROG, prog_id, "list programs") as fd:
                yield prog_info(fd)
        except NotFoundError:
            continue


def prog_info(fd: Fd) -> ProgInfo:
    """Ask the kernel about a program. Raises: SyscallError.

    Source: bpf_prog_get_info_by_fd() and bpf_prog_show_fdinfo() (kernel/bpf/syscall.c,
    Linux 6.18). `bytes_memlock` comes from /proc.
    """
    info = kernel.prog_info(fd)
    short = info.text("name") if info.knows("name") else ""
    memlock = own_fdinfo(fd.fileno()).get("memlock", "")
    return ProgInfo(
        id=_number(info, "id"),
        type=known(ProgType, _number(info, "type")),
        name=_whole_name(fd, info, short),
        kernel_name=short,
        tag=info.raw("tag").hex(),
        gpl_compatible=bool(info.struct.gpl_compatible),
        loaded_at=_wall_clock(info.number("load_time")),
        uid=info.number("created_by_uid"),
        bytes_xlated=_number(info, "xlated_prog_len"),
        bytes_jited=_number(info, "jited_prog_len"),
        bytes_memlock=int(memlock) if memlock.isdecimal() else None,
        map_ids=tuple(kernel.prog_map_ids(fd)) if info.number("nr_map_ids") else (),
        btf_id=info.number("btf_id") or None,
        ifindex=_number(info, "ifindex"),
        run_time_ns=info.number("run_time_ns"),
        run_cnt=info.number("run_cnt"),
        recursion_misses=info.number("recursion_misses"),
        verified_insns=info.number("verified_insns"),
        attach_btf_obj_id=info.number("attach_btf_obj_id") or None,
        attach_btf_id=info.number("attach_btf_id") or None,
    )


def _number(info: Info, name: str) -> int:
    return info.number(name) or 0


def _wall_clock(boot_time_ns: int | None) -> int | None:
    """Turn nanoseconds since boot into seconds since 1970; 0 is a kernel that does not tell.

    The kernel counts time asleep too (ktime_get_boottime_ns, bpf_prog_load, Linux 4.15).
    """
    if not boot_time_ns:
        return None
    booted_at_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return (booted_at_ns + boot_time_ns) // _BILLION


def _whole_name(fd: Fd, info: Info, short: str) -> str:
    """Complete a name that may have been cut, from the type of the program's main function."""
    size = len(short.encode("utf-8", "surrogateescape"))
    if size < _CUT_NAME_BYTES or not info.number("btf_id"):
        return short
    from bpfctl.errors import BpfctlError
    from bpfctl.objects.btf import loaded_btf

    try:
        records, _ = kernel.prog_func_info(fd)
        type_id = int.from_bytes(records[4:8], "little")
        whole = loaded_btf(_number(info, "btf_id")).name(type_id) if type_id else ""
    except BpfctlError:
        return short
    return whole if whole.startswith(short) else short
