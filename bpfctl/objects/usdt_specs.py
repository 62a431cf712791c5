"""What a program is told of the places of a static probe, in maps that libbpf's header defines.

`__bpf_usdt_specs` says where the arguments are; the number of its entry comes to the program as
its cookie, or, before Linux 5.15, by the place's address through `__bpf_usdt_ip_to_spec_id`.
Source: usdt.bpf.h of libbpf 1.8.
"""

from __future__ import annotations

import os
from itertools import chain

from bpfctl.elf.usdt_args import SPEC_BYTES, usdt_spec
from bpfctl.errors import BpfctlError, NotSupportedError
from bpfctl.linux.process_maps import mapped_at
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.objects.map import Map
from bpfctl.objects.prog import prog_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Final

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.usdt_places import Places

# The kernel keeps 15 bytes of the names.
_SPECS_MAP: Final = "__bpf_usdt_spec"
_ADDRESSES_MAP: Final = "__bpf_usdt_ip_t"
_ADDRESS_BYTES: Final = 8


def write_specs(prog_fd: Fd, places: Places, cookie: int, maps: Collection[Fd] = ()) -> list[int]:
    """Write the entries for some places; 0 for each where the program asks for no arguments.

    Entries stay when a link goes and serve again for a place that looks the same. `maps` are those
    of the program as far as they are open: to open one by its id takes CAP_SYS_ADMIN.
    Raises: NotYetError (an argument we cannot read), BpfctlError (no room), SyscallError.
    """
    found = _map_of(prog_fd, maps, _SPECS_MAP, SPEC_BYTES)
    if found is None:
        return [0] * len(places.notes)
    with found.fd:
        machine = os.uname().machine
        return [_entry(found, usdt_spec(one.args, cookie, machine)) for one in places.notes]


def write_addresses(prog_fd: Fd, places: Places, numbers: Sequence[int], pid: int) -> None:
    """Write which entry each place has, for kernels that give programs no cookies.

    Raises: NotSupportedError where the places lie elsewhere in each process, SyscallError.
    """
    found = _map_of(prog_fd, (), _ADDRESSES_MAP, 4)
    if found is None:
        return
    with found.fd:
        for note, number in zip(places.notes, numbers, strict=True):
            address = note.address if places.is_fixed else _in_process(places, note.offset, pid)
            key = address.to_bytes(_ADDRESS_BYTES, "little")
            found.update(key, number.to_bytes(4, "little"))


def _in_process(places: Places, offset: int, pid: int) -> int:
    address = mapped_at(pid, places.path, offset) if pid else None
    if address is None:
        raise NotSupportedError(
            "arguments of static probes in code that is loaded anywhere",
            "5.15",
            code="usdt-needs-process",
            subject=places.path,
            evidence=[f"process {pid} has not loaded it"] if pid else [],
            remedy=None if pid else "name one process: pid N",
        )
    return address


def _map_of(prog_fd: Fd, maps: Collection[Fd], name: str, value_bytes: int) -> Map | None:
    opened = (fd.duplicate() for fd in maps)
    others = (open_id(ObjectKind.MAP, one) for one in prog_info(prog_fd).map_ids)
    for fd in chain(opened, () if maps else others):
        found = Map(fd)
        if found.info.name == name and found.info.bytes_value == value_bytes:
            return found
        found.fd.close()
    return None


def _entry(specs: Map, wanted: bytes) -> int:
    """Find the entry for a place, or take the first that nobody used."""
    for number in range(specs.info.max_entries):
        key = number.to_bytes(4, "little")
        value = specs.lookup(key)
        if value == wanted:
            return number
        if not any(value):
            specs.update(key, wanted)
            return number
    raise BpfctlError(
        f"the program has room for {specs.info.max_entries} kinds of places of static probes",
        code="usdt-specs-full",
    )
