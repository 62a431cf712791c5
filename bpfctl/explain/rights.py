"""EPERM and EACCES for lack of capabilities: which ones a call, or a whole load, takes."""

from __future__ import annotations

from bpfctl.elf.spec import MapSpec, ObjectSpec
from bpfctl.explain.explanation import Explanation
from bpfctl.kernel.uapi import MapType, ProgType
from bpfctl.linux.sysctl import read_sysctl
from bpfctl.loader.options import LoadOptions
from bpfctl.objects import needs
from bpfctl.objects.denial import INSIDE, is_admin, missing, missing_for_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from bpfctl.explain.failure import Failure
    from bpfctl.linux.caps import Capability
    from bpfctl.objects.denial import Missing

# What goes without capabilities where kernel.unprivileged_bpf_disabled is 0: bpf_prog_load() and
# map_create(), kernel/bpf/syscall.c, Linux 6.18.
_OPEN_PROGRAMS: Final = frozenset({ProgType.SOCKET_FILTER, ProgType.CGROUP_SKB})
_OPEN_MAPS: Final = frozenset(
    {
        MapType.ARRAY,
        MapType.PERCPU_ARRAY,
        MapType.PROG_ARRAY,
        MapType.PERF_EVENT_ARRAY,
        MapType.CGROUP_ARRAY,
        MapType.ARRAY_OF_MAPS,
        MapType.HASH,
        MapType.PERCPU_HASH,
        MapType.HASH_OF_MAPS,
        MapType.RINGBUF,
        MapType.USER_RINGBUF,
        MapType.CGROUP_STORAGE,
        MapType.PERCPU_CGROUP_STORAGE,
    }
)
_SETTING: Final = "unprivileged_bpf_disabled"


def for_load(failure: Failure) -> Explanation | None:
    """Name what is missing for what was refused, and what the whole load takes besides."""
    spec = failure.fact(ObjectSpec)
    if spec is None:
        return _explained(missing(failure.error, _of_request(failure)), _setting(failure))
    maps = [need for made in spec.maps for need in needs.of_map(made.type)]
    refused = _of_request(failure)
    if failure.call == "BPF_MAP_CREATE" and failure.fact(MapSpec) is None:
        refused = maps
    further = [*_of_programs(spec, failure.fact(LoadOptions)), *maps]
    return _explained(missing(failure.error, refused, further), _setting(failure))


def for_call(failure: Failure) -> Explanation | None:
    """Name what is missing for a call that takes the same whatever it is about."""
    return _explained(missing_for_call(failure.error))


def _of_request(failure: Failure) -> Sequence[Capability]:
    """What the refused request takes: that of its program's or map's type."""
    made = failure.fact(MapSpec)
    if failure.program is not None:
        return () if is_admin() else needs.of_program(failure.program.section.prog_type)
    if failure.call == "BPF_MAP_CREATE" and made is not None:
        return needs.of_map(made.type)
    if failure.request is not None and not is_admin():
        if failure.call == "BPF_PROG_LOAD":
            return needs.of_program(failure.field("prog_type"))
        if failure.call == "BPF_MAP_CREATE":
            return needs.of_map(failure.field("map_type"))
    return needs.of_call(failure.call)


def _of_programs(spec: ObjectSpec, options: LoadOptions | None) -> list[Capability]:
    from bpfctl.loader.support import chosen_programs

    chosen = chosen_programs(spec, options or LoadOptions())
    return [need for one in chosen for need in needs.of_program(one.section.prog_type)]


def _setting(failure: Failure) -> tuple[str, ...]:
    """Name the setting that would let this pass without capabilities, if that is so."""
    if failure.request is None:
        return ()
    is_open = {
        "BPF_PROG_LOAD": failure.field("prog_type") in _OPEN_PROGRAMS,
        "BPF_MAP_CREATE": failure.field("map_type") in _OPEN_MAPS,
    }
    value = read_sysctl(f"kernel/{_SETTING}") if is_open.get(failure.call) else None
    return (f"kernel.{_SETTING} is {value}: where it is 0 this takes none",) if value else ()


def _explained(found: Missing | None, more: tuple[str, ...] = ()) -> Explanation | None:
    if found is None:
        return None
    found = found._replace(evidence=(*found.evidence, *more))
    if found.code == INSIDE:
        words = (found.message, found.evidence, found.remedy)
        return Explanation("capabilities-in-user-namespace", *words)
    return Explanation("capabilities-missing", found.message, found.evidence, found.remedy)
