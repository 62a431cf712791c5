"""What `attachments` finds: places where a program runs."""

from __future__ import annotations

from bpfctl.plain import field, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bpfctl.objects.link import LinkInfo


@plain
class Attachment:
    """One place where a program runs.

    `kind` is "link", "xdp", "tc", "tc_action", "tcx", "netkit", "cgroup", "sockmap", "perf_event"
    or "map" (another program jumps to it, or packets that are redirected meet it); `words` say
    where. `link` is the link, `facts` what else is known: "ifindex", "path", "map_id".
    """

    kind: str
    words: str
    link: LinkInfo | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The fields; a link by its id."""
        number = {"link_id": self.link.id} if self.link else {}
        return {"kind": self.kind, **number, "attached_to": self.words, **self.facts}


@plain
class Attachments:
    """What was found, and where a program of that type could be without being seen."""

    found: tuple[Attachment, ...]
    unseen: tuple[str, ...]
