"""Attach the programs of a loaded object to what their sections say."""

from __future__ import annotations

from bpfctl.elf.section_def import AttachKind
from bpfctl.elf.targets import offset_of
from bpfctl.errors import BpfctlError, NotSupportedError, SectionNameError
from bpfctl.kernel.flags import MapFlags
from bpfctl.loader.attach_at import NOWHERE, place_target
from bpfctl.loader.attachment import Attachment
from bpfctl.objects import attach_net_targets as net
from bpfctl.objects import attach_probe_targets as probes
from bpfctl.objects import attach_targets as targets
from bpfctl.objects.attach_lacking import LINK_LACKING
from bpfctl.objects.attach_several import create_links
from bpfctl.objects.prog import prog_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from bpfctl.elf.sections import SectionName
    from bpfctl.loader.attach_at import Places
    from bpfctl.loader.loaded import LoadedObject
    from bpfctl.objects.attach_targets import Target

# The kernel knows the target of these since they were loaded.
_LOADED: Final = frozenset({AttachKind.TRACING, AttachKind.EXT, AttachKind.LSM})


def section_target(section: SectionName) -> Target | None:
    """What a section says to attach to; None where it does not say, or nothing can.

    libbpf's rule (`bpf_program__attach`): interfaces, cgroups, sockets and maps are never said; see
    `place_target`.
    """
    if section.kind in _LOADED:
        return targets.Loaded()
    if section.kind is AttachKind.ITER:
        return targets.Iter()
    reader = _READERS.get(section.kind)
    if reader is None or section.target is None:
        return None
    return reader(section, section.target)


def attach_program(
    loaded: LoadedObject,
    name: str,
    target: Target | net.Filter | None = None,
    *,
    hold: bool = False,
    stay: bool = False,
) -> Attachment:
    """Attach one program, to `target` or what its section says; the object holds the links.

    With `hold` it is attached in an older way where the kernel has no links for that: until the
    object ends; with `stay` as a filter of tc that outlives the object, unless that is left with an
    error.
    Raises: what `create_links` raises, with the program's name; SectionNameError for a section that
    names a target, but not as one is named.
    """
    program = loaded.programs[name]
    section = program.spec.section
    target = target or section_target(section)
    if target is None and section.problem:
        raise SectionNameError(section.warning or "", program=name, path=loaded.spec.path)
    if target is None:
        return Attachment(name)
    try:
        found = _attach(loaded, name, target, hold=hold, stay=stay)
    except BpfctlError as err:
        if err.subject and not err.subject.startswith("program "):
            err.evidence.append(f"looked for in {err.subject}")
        err.subject = None  # a program's number is of no use once it is gone
        err.evidence.append(f'it is in section "{section.text}"')
        err.within(program=name, subject=loaded.spec.path)
        raise
    for link in found.links:
        loaded.resources.enter_context(link)
    return found


def _attach(
    loaded: LoadedObject, name: str, target: Target | net.Filter, *, hold: bool, stay: bool
) -> Attachment:
    if isinstance(target, net.Filter):
        from bpfctl.loader.attach_older import attach_filter

        return attach_filter(loaded, name, target, stay=stay)
    prog = loaded.programs[name].fd
    maps = [one.fd for one in loaded.maps.values()]
    try:
        return Attachment(name, target, tuple(create_links(prog, prog_info(prog), target, maps)))
    except NotSupportedError as err:
        if err.code != LINK_LACKING or not (hold or stay):
            raise
        from bpfctl.loader.attach_older import attach_older

        found = attach_older(loaded, name, target, stay=stay)
        if found is None:
            raise
        return found


def attach_all(
    loaded: LoadedObject,
    *,
    keep_going: bool = False,
    hold: bool = False,
    stay: bool = False,
    places: Places = NOWHERE,
) -> list[Attachment]:
    """Attach every program whose section says where, then maps of section ".struct_ops.link".

    Programs for interfaces and cgroups are attached at the `places`. With `keep_going` errors are
    in the result. `hold` and `stay` are as in `attach_program`.
    Raises: what that raises, and SyscallError for a struct_ops that the kernel refuses; the links
    made so far go with the object.
    """

    def attach(loaded: LoadedObject, name: str) -> Attachment:
        section = loaded.programs[name].spec.section
        target = place_target(section, places)
        return attach_program(loaded, name, target, hold=hold, stay=stay)

    found = []
    steps: list[tuple[str, Callable[[LoadedObject, str], Attachment]]]
    steps = [(name, attach) for name in loaded.programs]
    steps += [(name, _attach_ops) for name in loaded.struct_ops if _has_link(loaded, name)]
    for name, step in steps:
        try:
            found.append(step(loaded, name))
        except BpfctlError as err:
            if not keep_going:
                raise
            found.append(Attachment(name, error=err))
    return found


def _has_link(loaded: LoadedObject, name: str) -> bool:
    return bool(loaded.maps[name].spec.flags & MapFlags.LINK)


def _attach_ops(loaded: LoadedObject, name: str) -> Attachment:
    from bpfctl.loader.struct_ops_load import register

    try:
        link = register(loaded, name).link
    except BpfctlError as err:
        err.within(subject=loaded.spec.path)
        raise
    if link is not None:
        loaded.resources.enter_context(link)
    return Attachment(name, links=(link,) if link else ())


def _kprobe(section: SectionName, text: str) -> Target:
    function, offset = _offset(text)
    return probes.Kprobe(function, offset, is_return=section.definition.name == "kretprobe")


def _ksyscall(section: SectionName, text: str) -> Target:
    from bpfctl.linux.syscalls import syscall_function

    is_return = section.definition.name == "kretsyscall"
    return probes.Kprobe(syscall_function(text), is_return=is_return)


def _kprobe_multi(section: SectionName, text: str) -> Target:
    return probes.KprobeMulti(
        functions=() if _is_pattern(text) else (text,),
        pattern=text if _is_pattern(text) else "",
        is_return="ret" in section.definition.name,
        is_session="session" in section.definition.name,
    )


def _tracing_multi(section: SectionName, text: str) -> Target:
    assert section.attach_type is not None  # the table has one for each
    return probes.TracingMulti(
        section.attach_type,
        functions=() if _is_pattern(text) else (text,),
        pattern=text if _is_pattern(text) else "",
    )


def _uprobe(section: SectionName, text: str) -> Target:
    path, _, place = text.partition(":")
    is_return = section.definition.name.startswith("uret")
    offset_in_file = offset_of(place)
    if offset_in_file is not None:
        return probes.Uprobe(path, "", offset_in_file, is_return)
    function, offset = _offset(place)
    return probes.Uprobe(path, function, offset, is_return)


def _uprobe_multi(section: SectionName, text: str) -> Target:
    path, _, place = text.partition(":")
    return probes.UprobeMulti(
        path,
        functions=() if _is_pattern(place) else (place,),
        pattern=place if _is_pattern(place) else "",
        is_return="ret" in section.definition.name,
        is_session="session" in section.definition.name,
    )


def _usdt(section: SectionName, text: str) -> Target:
    del section
    path, provider, name = text.split(":", 2)
    return probes.Usdt(path, provider, name)


def _tracepoint(section: SectionName, text: str) -> Target:
    del section
    category, _, name = text.partition("/")
    return targets.Tracepoint(category, name)


def _raw_tracepoint(section: SectionName, text: str) -> Target:
    del section
    return targets.RawTracepoint(text)


def _offset(text: str) -> tuple[str, int]:
    name, plus, offset = text.rpartition("+")
    return (name, offset_of(offset) or 0) if plus else (text, 0)


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


_READERS: Final[dict[AttachKind, Callable[[SectionName, str], Target]]] = {
    AttachKind.KPROBE: _kprobe,
    AttachKind.KSYSCALL: _ksyscall,
    AttachKind.KPROBE_MULTI: _kprobe_multi,
    AttachKind.TRACING_MULTI: _tracing_multi,
    AttachKind.UPROBE: _uprobe,
    AttachKind.UPROBE_MULTI: _uprobe_multi,
    AttachKind.USDT: _usdt,
    AttachKind.TRACEPOINT: _tracepoint,
    AttachKind.RAW_TRACEPOINT: _raw_tracepoint,
}
