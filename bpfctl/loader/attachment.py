"""What attaching a loaded object came to."""

from __future__ import annotations

from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack

    from bpfctl.errors import BpfctlError
    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_net_targets import Filter
    from bpfctl.objects.attach_targets import Target


class Attachment(NamedTuple):
    """What became of one program or struct_ops map: it has links, or an error, or neither.

    Neither is: its section does not say what to attach to (`target` is None). There are several
    links where one does not reach all of a target. `held` ends what is attached without a link,
    unless that `stays`: a filter of tc.
    """

    name: str
    target: Target | Filter | None = None
    links: tuple[Fd, ...] = ()
    error: BpfctlError | None = None
    held: ExitStack | None = None
    stays: bool = False
