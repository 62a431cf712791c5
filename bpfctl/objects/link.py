"""Links in the kernel: what is attached where."""

from __future__ import annotations

from bpfctl.errors import NotFoundError
from bpfctl.kernel import info as kernel
from bpfctl.kernel.names import known, label
from bpfctl.kernel.uapi import LinkType
from bpfctl.objects.ids import ObjectKind, ids, open_id
from bpfctl.objects.link_read import read_details
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.link_kinds import Details


@plain
class LinkInfo:
    """A link. `prog_id` is 0 where no program runs (struct_ops); `details` depend on the kind."""

    id: int
    type: LinkType | int
    prog_id: int
    details: Details | None = None

    @property
    def type_name(self) -> str | int:
        """The kind in bpftool's words, or its number."""
        return label(LinkType, self.type)

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys that need no look at anything else."""
        fields: dict[str, object] = {
            "id": self.id,
            "type": self.type_name,
            "prog_id": self.prog_id,
        }
        return fields | (self.details.to_json() if self.details else {})


def link_info(fd: Fd) -> LinkInfo:
    """Ask the kernel about a link. Raises: SyscallError."""
    info = kernel.link_info(fd)
    link_type = info.number("type") or 0
    return LinkInfo(
        id=info.number("id") or 0,
        type=known(LinkType, link_type),
        prog_id=info.number("prog_id") or 0,
        details=read_details(fd, info, link_type),
    )


def links() -> Iterator[LinkInfo]:
    """Yield every link, ascending by id; one that vanishes meanwhile is skipped.

    Raises: SyscallError (EPERM without CAP_SYS_ADMIN).
    Source: BPF_LINK_GET_NEXT_ID, Linux 5.8.
    """
    for link_id in ids(ObjectKind.LINK):
        try:
            with open_id(ObjectKind.LINK, link_id, "list links") as fd:
                yield link_info(fd)
        except NotFoundError:
            continue
