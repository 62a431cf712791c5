"""The type information that is loaded: whose it is, and what uses it."""

from __future__ import annotations

from bpfctl.errors import NotFoundError
from bpfctl.kernel import info as kernel
from bpfctl.objects.ids import ObjectKind, ids, open_id
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfctl.kernel.fd import Fd


@plain
class BtfInfo:
    """One BTF object.

    `name` is "vmlinux", that of a module, or "" for what a process loaded; `of_kernel` says that
    the kernel made it (None before Linux 5.11, which does not tell). `prog_ids` and `map_ids` are
    the programs and maps that were loaded with it.
    """

    id: int
    size_bytes: int
    name: str
    of_kernel: bool | None
    prog_ids: tuple[int, ...] = ()
    map_ids: tuple[int, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys."""
        users = {"prog_ids": list(self.prog_ids), "map_ids": list(self.map_ids)}
        fields: dict[str, object] = {"id": self.id, "size": self.size_bytes, **users}
        if self.of_kernel is not None:
            fields["kernel"] = self.of_kernel
        return fields | ({"name": self.name} if self.name else {})


def btf_infos() -> list[BtfInfo]:
    """Every BTF object, ascending by id; one that vanishes meanwhile is skipped.

    Raises: SyscallError (EPERM without CAP_SYS_ADMIN).
    """
    progs, maps = btf_users()
    found = []
    for btf_id in ids(ObjectKind.BTF):
        try:
            with open_id(ObjectKind.BTF, btf_id, "list BTF objects") as fd:
                found.append(btf_info(fd, progs, maps))
        except NotFoundError:
            continue
    return found


def btf_info(
    fd: Fd,
    progs: Mapping[int, list[int]] | None = None,
    maps: Mapping[int, list[int]] | None = None,
) -> BtfInfo:
    """Ask the kernel about a BTF object; `progs` and `maps` are what uses each, by its id.

    Raises: SyscallError.
    """
    info, name = kernel.btf_info(fd)
    number = info.number("id") or 0
    of_kernel = info.number("kernel_btf")
    return BtfInfo(
        id=number,
        size_bytes=info.number("btf_size") or 0,
        name=name,
        of_kernel=None if of_kernel is None else bool(of_kernel),
        prog_ids=tuple((progs or {}).get(number, ())),
        map_ids=tuple((maps or {}).get(number, ())),
    )


def btf_users() -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """The ids of the programs and of the maps that use each BTF object, by its id.

    Raises: SyscallError.
    """
    from bpfctl.objects.map import maps
    from bpfctl.objects.prog import programs

    by_prog: dict[int, list[int]] = {}
    for prog in programs():
        if prog.btf_id:
            by_prog.setdefault(prog.btf_id, []).append(prog.id)
    by_map: dict[int, list[int]] = {}
    for one in maps():
        if one.btf_id:
            by_map.setdefault(one.btf_id, []).append(one.id)
    return by_prog, by_map
