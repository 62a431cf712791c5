"""Attach programs to static probes of executables and libraries (USDT)."""

from __future__ import annotations

import errno
import os
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from bpfctl.elf.binary import open_binary
from bpfctl.elf.usdt_args import SPEC_BYTES, usdt_spec
from bpfctl.elf.usdt_notes import usdt_notes
from bpfctl.errors import BpfctlError, NotFoundError, NotSupportedError, SyscallError
from bpfctl.kernel import perf
from bpfctl.kernel.attr_link import link_create, with_file_places, with_perf_cookie
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects.binary_places import binary_path
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.objects.map import Map
from bpfctl.objects.prog import prog_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.elf.usdt_notes import UsdtNote
    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_probe_targets import Usdt

# libbpf's map of argument specifications; the kernel keeps 15 bytes of its name.
_SPECS_MAP: Final = "__bpf_usdt_spec"


def link_usdt(prog_fd: Fd, target: Usdt) -> Fd:
    """Link a program to all places of a static probe; the caller closes the link.

    Where the arguments are is written into the program's map __bpf_usdt_specs, as libbpf does it,
    and the cookie of each place is the number of its entry there. Entries stay when the link goes
    and serve again for a place that looks the same.
    Raises: NotFoundError (no such probe), NotSupportedError (several places before Linux 6.6),
    NotYetError (an argument we cannot read), PathError, ObjectFileError, SyscallError.
    """
    path = binary_path(target.path)
    notes = find_probe(path, target.provider, target.name)
    numbers = _write_specs(prog_fd, notes, target.cookie)
    try:
        return _link_all(prog_fd, target, path, notes, numbers)
    except SyscallError as err:
        if err.errno not in (errno.EINVAL, errno.E2BIG):
            raise
        if len(notes) > 1:
            raise _lacking(err, notes) from err
    return _link_one(prog_fd, target, path, notes[0], numbers[0])


def find_probe(path: str, provider: str, name: str) -> list[UsdtNote]:
    """Return the places of a probe, at least one.

    Raises: NotFoundError with similar names, PathError, ObjectFileError.
    """
    with open_binary(path) as binary:
        notes = list(usdt_notes(binary))
    found = [one for one in notes if (one.provider, one.name) == (provider, name)]
    if found:
        return found
    known = {f"{one.provider}:{one.name}" for one in notes}
    near = get_close_matches(f"{provider}:{name}"[:128], known, n=3)
    raise NotFoundError(
        f"there is no static probe {provider}:{name}",
        code="no-such-probe",
        subject=path,
        evidence=[] if known else ["the file has no static probes (section .note.stapsdt)"],
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )


def _link_all(
    prog_fd: Fd, target: Usdt, path: str, notes: Sequence[UsdtNote], numbers: Sequence[int]
) -> Fd:
    attr = link_create(
        prog_fd=prog_fd, attach_type=AttachType.TRACE_UPROBE_MULTI, doing=f"attach to {target}"
    )
    counters = [one.semaphore_offset for one in notes]
    return bpf_fd(
        with_file_places(
            attr,
            path,
            [one.offset for one in notes],
            cookies=numbers,
            ref_ctr_offsets=counters if any(counters) else (),
            pid=target.pid,
        )
    )


def _link_one(prog_fd: Fd, target: Usdt, path: str, note: UsdtNote, number: int) -> Fd:
    """Link by a perf event, as programs that were loaded for one place want it (Linux 5.15)."""
    from bpfctl.objects.attach_perf import probe_source

    pmu, _ = probe_source("uprobe", is_return=False)
    with perf.open_uprobe(
        pmu, 0, path, note.offset, pid=target.pid, ref_ctr_offset=note.semaphore_offset
    ) as event:
        attr = link_create(
            prog_fd=prog_fd,
            target_fd=event,
            attach_type=AttachType.PERF_EVENT,
            doing=f"attach to {target}",
        )
        return bpf_fd(with_perf_cookie(attr, number))


def _lacking(err: SyscallError, notes: Sequence[UsdtNote]) -> BpfctlError:
    from bpfctl.features.links import probe_link
    from bpfctl.features.prober import Prober

    with Prober() as prober:
        verdict = probe_link(prober, "uprobe_multi")
    if verdict.available is not False:
        err.candidates.append("the program was not loaded for several places (section usdt)")
        return err
    return NotSupportedError(
        f"a link to the {len(notes)} places of a static probe",
        "6.6",
        code="link-kind-unsupported",
        evidence=[verdict.reason],
    )


def _write_specs(prog_fd: Fd, notes: Sequence[UsdtNote], cookie: int) -> list[int]:
    """Write the entries for some places; 0 for each where the program asks for no arguments."""
    found = _specs_map(prog_fd)
    if found is None:
        return [0] * len(notes)
    with found.fd:
        machine = os.uname().machine
        return [_entry(found, usdt_spec(one.args, cookie, machine)) for one in notes]


def _specs_map(prog_fd: Fd) -> Map | None:
    for map_id in prog_info(prog_fd).map_ids:
        found = Map(open_id(ObjectKind.MAP, map_id))
        if found.info.name == _SPECS_MAP and found.info.bytes_value == SPEC_BYTES:
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
