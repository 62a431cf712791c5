"""Struct_ops maps in the kernel: implementations of its structs of functions."""

from __future__ import annotations

from bpfctl.btf.types import FuncProto, Kind, Ptr, Struct
from bpfctl.btf.values import Style, compile_reader
from bpfctl.errors import NotFoundError, SyscallError
from bpfctl.kernel.attr_map import map_elem
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.info import map_info as raw_info
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.objects.btf import kernel_btf, loaded_btf
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.objects.map_info import MapInfo, map_info
from bpfctl.objects.prog import prog_info
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from bpfctl.btf.decode import Btf
    from bpfctl.kernel.fd import Fd

_VALUE: Final = "bpf_struct_ops_"
_INFO: Final = "bpf_map_info"
_KEY: Final = bytes(4)


@plain
class StructOps:
    """A struct_ops map; `kernel_struct` is the kernel's name of what it implements."""

    info: MapInfo
    kernel_struct: str

    @property
    def has_link(self) -> bool:
        """Whether links register it, and not its contents alone (Linux 6.4)."""
        return bool(self.info.flags & MapFlags.LINK)

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys."""
        return {
            "id": self.info.id,
            "name": self.info.name,
            "kernel_struct_ops": self.kernel_struct,
        }


def struct_ops(fd: Fd) -> StructOps:
    """Ask the kernel about a struct_ops map.

    Raises: NotFoundError for a map of another type, SyscallError, BtfError.
    """
    info = map_info(fd)
    if info.type != MapType.STRUCT_OPS:
        raise NotFoundError(
            f"map {info.id} {info.name} is no struct_ops, but of type {info.type_name}"
        )
    name = _types(info).name(info.btf_vmlinux_value_type_id)
    return StructOps(info, name.removeprefix(_VALUE))


def _types(info: MapInfo) -> Btf:
    """The types of the kernel or of the module that has the struct."""
    return loaded_btf(info.btf_vmlinux_id) if info.btf_vmlinux_id else kernel_btf()


def unregister(fd: Fd) -> StructOps:
    """Take a struct_ops map out of use.

    Raises: NotFoundError, SyscallError; a map with links goes with them.
    """
    found = struct_ops(fd)
    try:
        bpf(map_elem(Cmd.MAP_DELETE_ELEM, fd, _KEY, doing=f"unregister {found.info.name}"))
    except SyscallError as err:
        if found.has_link:
            err.evidence.append("it is registered by a link")
            err.remedy = "detach its link (link detach), or remove the link's pin"
        raise
    return found


def dump(fd: Fd) -> list[dict[str, Any]]:
    """What bpftool dumps: the kernel's struct bpf_map_info, and the map's value, by their types.

    Pointers to functions are words: their prototype, and the program's name and id, or 0.
    Raises: NotFoundError, SyscallError, BtfError.
    """
    found = struct_ops(fd)
    data = bytearray(found.info.bytes_value)
    bpf(map_elem(Cmd.MAP_LOOKUP_ELEM, fd, _KEY, data, doing=f"read {found.info.name}"))
    btf, type_id = _types(found.info), found.info.btf_vmlinux_value_type_id
    value = _read(btf, type_id, bytes(data))
    member = btf.member(type_id, "data")
    if member is not None:
        value["data"] |= _functions(btf, member.type_id, value["data"])
    return [*_read_info(fd), {_VALUE + found.kernel_struct: value}]


def _read_info(fd: Fd) -> list[dict[str, Any]]:
    btf = kernel_btf()
    type_id = btf.find(_INFO, Kind.STRUCT)
    if type_id is None:
        return []
    size = btf.size_of(type_id)
    data = bytes(ffi.buffer(raw_info(fd).struct))[:size]
    return [{_INFO: _read(btf, type_id, data.ljust(size, b"\0"))}]


def _functions(btf: Btf, type_id: int, values: dict[str, Any]) -> dict[str, str]:
    """The words for members that point to functions."""
    struct = btf.type(btf.skip_modifiers(type_id))
    words = {}
    for member in struct.members if isinstance(struct, Struct) else ():
        pointer = btf.type(btf.skip_modifiers(member.type_id))
        proto = btf.type(btf.skip_modifiers(pointer.type_id)) if isinstance(pointer, Ptr) else None
        if isinstance(proto, FuncProto) and member.name in values:
            params = ", ".join(btf.type_name(one.type_id) for one in proto.params)
            what = f"{btf.type_name(proto.return_type_id)} ({params})"
            words[member.name] = f"{what} {_program(values[member.name])}"
    return words


def _program(number: int) -> str:
    """The program that is stored as its id; a program that is gone meanwhile has no name."""
    if not number:
        return "0"
    try:
        with open_id(ObjectKind.PROG, number) as fd:
            return f"{prog_info(fd).name}/prog_id:{number}"
    except NotFoundError:
        return f"<unknown_prog_name>/prog_id:{number}"


def _read(btf: Btf, type_id: int, data: bytes) -> Any:
    return compile_reader(btf, type_id, style=Style.BPFTOOL)(data, 0)
