"""What `prog load` and `prog loadall` do to attach: links in place of programs, and what failed."""

from __future__ import annotations

from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import BpfctlError, UsageError

from .clean import clean
from .output import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.attach_at import Places
    from bpfctl.loader.attachment import Attachment
    from bpfctl.loader.loaded import LoadedObject


def pin_attached(
    loaded: LoadedObject, attached: Sequence[Attachment], place: Callable[[str], str]
) -> dict[str, str]:
    """Pin each link, or the program where it has none; give the paths by name.

    That of several links is a directory.

    Raises: PathError, SyscallError.
    """
    paths = {}
    for one in attached:
        held = one.links or _held(loaded, one.name)
        if held:
            loaded.pins.pin_each(held, place(one.name))
            paths[one.name] = place(one.name)
    return paths


def _held(loaded: LoadedObject, name: str) -> tuple[Fd, ...]:
    """Return a program; nothing for a map, which has no place of its own there."""
    return (loaded.programs[name].fd,) if name in loaded.programs else ()


def check_places(attached: Sequence[Attachment], places: Places) -> None:
    """Refuse a place that no program goes to. Raises: UsageError."""
    from bpfctl.objects.attach_targets import Cgroup

    if any(one.error for one in attached):
        return
    if places.device and not any(hasattr(one.target, "device") for one in attached):
        sections = "xdp, tcx/ingress, tcx/egress, netkit/primary and netkit/peer"
        raise _nothing_for(places.device, "an interface", sections)
    if places.cgroup and not any(isinstance(one.target, Cgroup) for one in attached):
        raise _nothing_for(places.cgroup, "a cgroup", "cgroup/..., cgroup_skb/... and sockops")


def _nothing_for(place: str, what: str, sections: str) -> BpfctlError:
    return UsageError(
        f"nothing to attach to {place}: no program loaded is for {what}",
        code="no-program-for-place",
        remedy=f"those of sections {sections} are",
    )


def note_unattached(
    loaded: LoadedObject, attached: Sequence[Attachment], interface: str | None = None
) -> None:
    """Say on standard error which programs are pinned and not attached, and why not.

    Members of a struct_ops run by their struct, which has a link of its own.
    """
    for one in attached:
        if one.target is None and one.error is None and one.name in loaded.programs:
            section = loaded.programs[one.name].spec.section
            if section.kind is AttachKind.STRUCT_OPS:
                continue
            sideless = interface and section.kind is AttachKind.TC
            what = "from which side" if sideless else "what to attach to"
            reason = f'section "{section.text}" does not say {what}'
            say(clean(f"bpfctl: program {one.name} is pinned only: {reason}"))


def failures(attached: Sequence[Attachment], operation: str) -> BpfctlError | None:
    """Return the error that stands for all that were passed over, None where all went well."""
    failed = [one for one in attached if one.error is not None]
    if not failed:
        return None
    from bpfctl.explain.engine import explain

    errors = [explain(one.error) for one in failed if one.error is not None]
    if len(errors) == 1:
        return errors[0].within(operation=operation)
    return BpfctlError(
        f"{len(failed)} of {len(attached)} programs could not be attached",
        code="attach-incomplete",
        operation=operation,
        subject=errors[0].subject,
        evidence=[f"{one.name}: {err.message}" for one, err in zip(failed, errors, strict=True)],
        remedy="without --keep-going nothing stays when one fails",
    )


def link_entries(
    attached: Sequence[Attachment], paths: Mapping[str, str]
) -> dict[str, dict[str, object]]:
    """Return for JSON what each program's link is, by the program's name: the first of several."""
    return {one.name: _entry(one.links[0], paths[one.name]) for one in attached if one.links}


def _entry(link: Fd, path: str) -> dict[str, object]:
    from bpfctl.objects.link import link_info
    from bpfctl.objects.link_targets import describe_target

    info = link_info(link)
    return {"id": info.id, "pinned": path, "attached_to": describe_target(info)}
