"""Check the numbers an object uses: program, attach and map types, flags of programs."""

from __future__ import annotations

from bpfctl.check.built import judge, map_built, program_built
from bpfctl.check.finding import Finding, Kind, State, settle
from bpfctl.check.needs import all_maps
from bpfctl.kernel.uapi import AttachType, MapType, ProgType
from bpfctl.loader.map_wishes import lacks_size, with_wishes
from bpfctl.loader.maps import effective

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Final

    from bpfctl.check.kernels import Target
    from bpfctl.elf.spec import MapSpec, ObjectSpec, ProgramSpec
    from bpfctl.loader.options import LoadOptions

# Sections older than the attach type they name: kernels before took any (Linux 5.9, 5.14).
OLDER_THAN_ATTACH_TYPE: Final = frozenset({"xdp", "sk_reuseport"})
# Other types load whatever attach type they name, and only fail when they attach.
# Source: bpf_prog_load_check_attach(), kernel/bpf/syscall.c, Linux 5.10 and 6.18.
_SAYS_AT_LOAD: Final = frozenset(
    {
        ProgType.CGROUP_SKB,
        ProgType.CGROUP_SOCK,
        ProgType.CGROUP_SOCK_ADDR,
        ProgType.CGROUP_SOCKOPT,
        ProgType.LSM,
        ProgType.NETFILTER,
        ProgType.SK_LOOKUP,
        ProgType.TRACING,
    }
)
# Kernels before Linux 5.10 have no program that may sleep; the member moved with 6.9.
_SLEEPABLE: Final = (("bpf_prog_aux", "sleepable"), ("bpf_prog", "sleepable"))


_OF_MAPS: Final = frozenset({MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS})
# Some kernels loaded these before they ran them right (seen of Linux 5.10 and 6.1).
LOADED_TOO_EARLY: Final = frozenset({"iter.s", "tp_btf.s"})


def program_types(
    programs: Iterable[ProgramSpec], loaded: Collection[str], target: Target
) -> Iterator[Finding]:
    """Yield a finding for each program type."""
    users: dict[int, list[str]] = {}
    for one in programs:
        users.setdefault(int(one.section.prog_type), []).append(one.name)
    names = {int(one.section.prog_type): one.section.prog_type.name for one in programs}
    for number, who in users.items():
        state, why = _listed(number, target.listed.prog_types, "bpf_prog_type")
        if state is State.FOUND:
            state, why = judge(program_built(number), target)
        yield Finding(
            Kind.PROGRAM_TYPE, names[number].lower(), *settle(state, why, who, loaded), tuple(who)
        )


def attach_types(
    programs: Iterable[ProgramSpec], loaded: Collection[str], target: Target
) -> Iterator[Finding]:
    """Yield a finding for each attach type that a load names."""
    users_of: dict[AttachType, list[ProgramSpec]] = {}
    for one in programs:
        definition = one.section.definition
        if definition.attach_type is not None and definition.name not in OLDER_THAN_ATTACH_TYPE:
            users_of.setdefault(definition.attach_type, []).append(one)
    for kind, found in users_of.items():
        who = [one.name for one in found]
        state, why = _listed(int(kind), target.listed.attach_types, "bpf_attach_type")
        late = not any(one.section.prog_type in _SAYS_AT_LOAD for one in users_of[kind])
        state, why = settle(state, why, who, loaded)
        yield Finding(Kind.ATTACH_TYPE, kind.name.lower(), state, why, tuple(who), attach=late)


def flags(
    programs: Iterable[ProgramSpec], loaded: Collection[str], target: Target
) -> Iterator[Finding]:
    """Yield a finding for programs that may sleep, and for those of packets in pieces."""
    pieces = [one.name for one in programs if one.section.frags]
    yield from _sleepable([one for one in programs if one.section.sleepable], loaded, target)
    if pieces:
        known = target.has_member("bpf_prog_aux", "xdp_has_frags")
        state, why = (State.FOUND, "") if known else _no_member("xdp_has_frags")
        yield Finding(Kind.FLAG, "xdp frags", *settle(state, why, pieces, loaded), tuple(pieces))


def _sleepable(
    programs: list[ProgramSpec], loaded: Collection[str], target: Target
) -> Iterator[Finding]:
    """Yield a finding for the programs of which the kernel has such that sleep, one for the rest.

    Each sort of program got them at another time, which only the age of the kernel tells.
    """
    known = any(target.has_member(*one) for one in _SLEEPABLE)
    groups: dict[tuple[State, str, str], list[str]] = {}
    for one in programs:
        section = one.section.definition
        key = (State.FOUND, "", "sleepable")
        if not known:
            key = (*_no_member("sleepable"), "sleepable")
        elif target.age.has(section.since) is False:
            state, why = State.MISSING, f"it came with Linux {section.since}, the kernel is older"
            if section.name in LOADED_TOO_EARLY:
                state, why = State.UNKNOWN, f"{why}; some older ones load it all the same"
            key = (state, why, f"sleepable {section.name}")
        groups.setdefault(key, []).append(one.name)
    for (state, why, name), who in groups.items():
        yield Finding(Kind.FLAG, name, *settle(state, why, who, loaded), tuple(who))


def map_types(spec: ObjectSpec, target: Target) -> Iterator[Finding]:
    """Yield a finding for each map type; maps are made whoever uses them."""
    users: dict[int, list[MapSpec]] = {}
    for one in all_maps(spec.maps):
        users.setdefault(int(one.type), []).append(one)
    for number, who in users.items():
        state, why = _listed(number, target.listed.map_types, "bpf_map_type")
        if state is State.FOUND:
            state, why = judge(map_built(number), target)
        if state is State.MISSING:
            why += f" (map {', '.join(one.name for one in who)})"
        yield Finding(Kind.MAP_TYPE, map_type_name(number), state, why)


def map_sizes(spec: ObjectSpec, options: LoadOptions) -> Iterator[Finding]:
    """Yield a finding for each map whose size, or inner map, the object leaves open."""
    for one in with_wishes(spec, options).maps:
        if one.type in _OF_MAPS and one.inner is None and not one.pin_by_name:
            why = "is one of maps, and its definition does not tell of which"
            yield Finding(Kind.MAP, one.name, State.MISSING, why)
        if lacks_size(effective(one)):
            why = f"has no max_entries: set it with --set-max-entries {one.name}=N"
            yield Finding(Kind.MAP, one.name, State.MISSING, why)


def map_type_name(number: int) -> str:
    """The name of a map type in small letters; the number of one we do not know."""
    try:
        return MapType(number).name.lower()
    except ValueError:
        return str(number)


def _listed(number: int, numbers: frozenset[int] | None, enum: str) -> tuple[State, str]:
    if numbers is None:
        return State.UNKNOWN, f"its types have no enum {enum}"
    if number in numbers:
        return State.FOUND, ""
    return State.MISSING, f"its enum {enum} has no {number}"


def _no_member(name: str) -> tuple[State, str]:
    return State.MISSING, f"its struct bpf_prog_aux has no member {name}"
