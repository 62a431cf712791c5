"""What the kernel knows of a map."""

from __future__ import annotations

from bpfctl.kernel import info as kernel
from bpfctl.kernel.names import known, label
from bpfctl.kernel.uapi import MapType, ProgType
from bpfctl.linux.fdinfo import own_fdinfo
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfctl.kernel.fd import Fd


@plain
class MapInfo:
    """A loaded map. Sizes are in bytes; `type` may be a number newer than we are.

    None is what this kernel does not tell. `bytes_memlock`, `frozen` and the owner (of a program
    array: the kind of programs it takes once one uses it) come from /proc and need no Linux newer
    than 5.3. `btf_key_type_id` and `btf_value_type_id` are types of BTF object `btf_id`; for the
    maps of struct_ops the value is `btf_vmlinux_value_type_id` of the kernel's own BTF.
    """

    id: int
    type: MapType | int
    name: str
    flags: int
    bytes_key: int
    bytes_value: int
    max_entries: int
    bytes_memlock: int | None = None
    frozen: bool | None = None
    owner_prog_type: ProgType | int | None = None
    owner_jited: bool | None = None
    btf_id: int = 0
    btf_key_type_id: int = 0
    btf_value_type_id: int = 0
    btf_vmlinux_id: int = 0
    btf_vmlinux_value_type_id: int = 0
    ifindex: int = 0
    map_extra: int | None = None

    @property
    def type_name(self) -> str | int:
        """The type in bpftool's words, or its number."""
        return label(MapType, self.type)

    @property
    def value_type_id(self) -> int:
        """The type of a value, in the kernel's own BTF for maps of struct_ops; 0 for none."""
        return self.btf_vmlinux_value_type_id or self.btf_value_type_id

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys; what it leaves out when absent is absent here too."""
        fields: dict[str, object] = {"id": self.id, "type": self.type_name}
        if self.name:
            fields["name"] = self.name
        fields["flags"] = self.flags
        if self.ifindex:
            fields["ifindex"] = self.ifindex
        fields.update(
            bytes_key=self.bytes_key, bytes_value=self.bytes_value, max_entries=self.max_entries
        )
        if self.bytes_memlock is not None:
            fields["bytes_memlock"] = self.bytes_memlock
        if self.owner_prog_type is not None:
            fields["owner_prog_type"] = label(ProgType, self.owner_prog_type)
        if self.owner_jited is not None:
            fields["owner_jited"] = self.owner_jited
        fields["frozen"] = int(bool(self.frozen))
        if self.btf_id:
            fields["btf_id"] = self.btf_id
        if self.map_extra:
            fields["map_extra"] = self.map_extra
        return fields


def map_info(fd: Fd) -> MapInfo:
    """Ask the kernel about a map. Raises: SyscallError.

    Source: bpf_map_get_info_by_fd() and bpf_map_show_fdinfo() (kernel/bpf/syscall.c, Linux 6.18).
    """
    info = kernel.map_info(fd)
    extra = own_fdinfo(fd.fileno())
    owner = _number(extra, "owner_prog_type")
    jited, frozen = _number(extra, "owner_jited"), _number(extra, "frozen")

    def number(name: str) -> int:
        return info.number(name) or 0

    return MapInfo(
        id=number("id"),
        type=known(MapType, number("type")),
        name=info.text("name"),
        flags=number("map_flags"),
        bytes_key=number("key_size"),
        bytes_value=number("value_size"),
        max_entries=number("max_entries"),
        bytes_memlock=_number(extra, "memlock"),
        frozen=None if frozen is None else bool(frozen),
        owner_prog_type=None if owner is None else known(ProgType, owner),
        owner_jited=None if jited is None else bool(jited),
        btf_id=number("btf_id"),
        btf_key_type_id=number("btf_key_type_id"),
        btf_value_type_id=number("btf_value_type_id"),
        btf_vmlinux_id=number("btf_vmlinux_id"),
        btf_vmlinux_value_type_id=number("btf_vmlinux_value_type_id"),
        ifindex=number("ifindex"),
        map_extra=info.number("map_extra"),
    )


def _number(fields: Mapping[str, str], name: str) -> int | None:
    try:
        return int(fields[name], 0)
    except (KeyError, ValueError):
        return None
