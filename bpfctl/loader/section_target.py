"""What a program's section name says it attaches to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import UsageError
from bpfctl.objects.attach_targets import Loaded, RawTracepoint, Tracepoint

if TYPE_CHECKING:
    from bpfctl.elf.sections import SectionName
    from bpfctl.objects.attach_targets import Target

# The kernel knows what they attach to since they were loaded.
_KNOWN_AT_LOAD: Final = frozenset(
    {AttachKind.TRACING, AttachKind.LSM, AttachKind.ITER, AttachKind.EXT}
)


def section_target(section: SectionName) -> Target:
    """The target that a section names.

    Raises: UsageError where it names none: a device, a cgroup or a socket is for the user to say.
    """
    if section.kind in _KNOWN_AT_LOAD:
        return Loaded()
    if section.target and section.kind is AttachKind.RAW_TRACEPOINT:
        return RawTracepoint(section.target)
    if section.target and section.kind is AttachKind.TRACEPOINT:
        category, _, name = section.target.partition("/")
        return Tracepoint(category, name)
    raise UsageError(
        f'SEC "{section.text}" does not say what to attach to',
        code="attach-target-not-named",
        remedy="say it when attaching",
    )
