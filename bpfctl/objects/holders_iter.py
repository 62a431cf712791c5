"""Holders by an iterator program: the kernel walks the open files of all processes."""

from __future__ import annotations

from bpfctl.kernel.attr import prog_load
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.objects.attach_iter import link_iterator
from bpfctl.objects.attach_targets import Iter
from bpfctl.objects.btf import kernel_btf
from bpfctl.objects.holders_layout import ITERATOR, find_layout
from bpfctl.objects.holders_program import KINDS, LICENSE, RECORD, assemble
from bpfctl.objects.holders_types import Holder, Sighting
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.iter import open_iter, read_iter
from bpfctl.objects.pin import id_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.holders_types import Object


def iterate() -> list[Sighting]:
    """Return every descriptor of a BPF object, whoever has it.

    Process ids are those of the first PID namespace; threads that share their process's files
    are seen once, a thread with files of its own counts as its process. What we opened to look is
    left out, and gone afterwards. Takes some 60 ms, whatever the machine does.
    Raises: NotSupportedError, SyscallError, BtfError where this kernel, or our lack of CAP_BPF
    and CAP_PERFMON, does not allow it.
    Source: kernel/bpf/task_iter.c, Linux 5.8.
    """
    with _load() as program, link_iterator(program, Iter()) as link, open_iter(link) as walk:
        data = b"".join(read_iter(walk))
        own = [(ObjectKind.PROG, program), (ObjectKind.LINK, link)]
        return parse_records(data, without={(kind, id_of(kind, fd)) for kind, fd in own})


def _load() -> Fd:
    layout = find_layout(kernel_btf())
    request = prog_load(
        prog_type=ProgType.TRACING,
        expected_attach_type=AttachType.TRACE_ITER,
        attach_btf_id=layout.function_id,
        insns=assemble(layout),
        license=LICENSE,
        name="bpfctl_holders",
        doing=f"load our {ITERATOR} program",
    )
    return bpf_fd(request)


def parse_records(data: bytes, without: Collection[Object] = ()) -> list[Sighting]:
    """Read what the program wrote, but for records of some objects; a cut end is lost."""
    whole = data[: len(data) // RECORD.size * RECORD.size]
    found = []
    for tgid, fd, kind, number, comm in RECORD.iter_unpack(whole):
        what = (KINDS[kind], number)
        if what not in without:
            name = comm.partition(b"\0")[0].decode("utf-8", "surrogateescape")
            found.append(Sighting(what, Holder(tgid, name, fd)))
    return found
