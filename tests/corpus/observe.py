"""What programs and maps are, as the kernel describes them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpfctl.errors import BpfctlError
from bpfctl.kernel.uapi import MapType
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.objects.map import Map, map_info
from bpfctl.objects.pin import open_pin
from bpfctl.objects.prog import prog_info

if TYPE_CHECKING:
    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.map import MapInfo


PLAIN_DATA = (".data", ".bss")


def pinned(directory: str) -> list[dict[str, Any]]:
    """Return a description of each program pinned in a directory, by name."""
    found = []
    for path in sorted(Path(directory).rglob("*")):
        if path.is_file():
            kind, fd = open_pin(str(path))
            with fd:
                if kind is ObjectKind.PROG:
                    found.append({"pin": path.name, **_program(fd)})
    return found


def _program(fd: Fd) -> dict[str, Any]:
    info = prog_info(fd)
    maps = [_map(number) for number in info.map_ids]
    return {
        "name": info.name,
        "type": info.type_name,
        "tag": info.tag,
        "target": info.attach_btf_id,
        "maps": sorted(maps, key=repr),
    }


def _map(number: int) -> dict[str, Any]:
    with open_id(ObjectKind.MAP, number, "describe a map") as fd:
        info = map_info(fd)
        return {
            "name": info.name,
            "type": info.type_name,
            "key": info.bytes_key,
            "value": info.bytes_value,
            "max_entries": info.max_entries,
            "flags": info.flags,
            "extra": info.map_extra or 0,
            "frozen": info.frozen,
            "content": _content(fd) if _is_data(info) else "",
        }


def _is_data(info: MapInfo) -> bool:
    """Say whether a map is one of global variables, without kernel pointers among them."""
    return info.type == MapType.ARRAY and (info.frozen or info.name.endswith(PLAIN_DATA))


def _content(fd: Fd) -> str:
    try:
        with Map(fd.duplicate()) as opened:
            return hashlib.sha256(opened.lookup(bytes(4))).hexdigest()[:16]
    except BpfctlError as err:
        return str(err.code)
