"""What a loaded object gives in Python: its programs, and the links they are attached by."""

from __future__ import annotations

import os
from contextlib import contextmanager

from bpfctl.errors import NotSupportedError, SyscallError, UsageError
from bpfctl.kernel.uapi import ProgType
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack
    from types import TracebackType
    from typing import Final, Self

    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.loaded import LoadedObject, LoadedProgram
    from bpfctl.objects.attach_net_targets import Filter
    from bpfctl.objects.attach_targets import Target
    from bpfctl.objects.prog import ProgInfo

ROOM: Final = 256  # what XDP and tc programs commonly put before a packet
_ON_CPU: Final = 1  # BPF_F_TEST_RUN_ON_CPU, include/uapi/linux/bpf.h, Linux 5.10
# Those whose context is given back (bpf_ctx_finish, net/bpf/test_run.c, and others, Linux 5.18).
_CONTEXTS: Final = frozenset(
    {ProgType.XDP, ProgType.SCHED_CLS, ProgType.SCHED_ACT, ProgType.CGROUP_SKB}
)


@plain
class TestRun:
    """What a run of a program came to.

    `value` is what it returned, `data` the packet and `context` the context as it left them, b""
    where the kernel does not give them back. `duration_ns` is the mean time of a run.
    """

    __test__ = False  # it is no test of pytest's

    value: int
    data: bytes
    context: bytes
    duration_ns: int


@contextmanager
def explaining(*facts: object) -> Iterator[None]:
    """Have what goes wrong in the `with` block explained as on the command line."""
    try:
        yield
    except SyscallError as err:
        from bpfctl.explain.engine import explain

        found = explain(err, *facts)
        if found is err:
            raise
        raise found from None


class Program:
    """A loaded program. It lives as long as its object, and as what pins or attaches it."""

    def __init__(self, loaded: LoadedObject, program: LoadedProgram) -> None:
        self.name = program.name
        self.section = program.spec.section
        self.fd = program.fd
        self.log = program.log.text
        self._object = loaded

    @property
    def info(self) -> ProgInfo:
        """What the kernel tells of it: id, tag, size, run time. Raises: SyscallError."""
        from bpfctl.objects.prog import prog_info

        return prog_info(self.fd)

    def attach(self, target: Target | Filter | None = None) -> Link:
        """Attach it where its section says, or to `target` (`bpfctl.targets`).

        The object's end is the link's, unless it is pinned. Where a kernel has no links for that
        (to perf events before Linux 5.15, to maps of sockets before 6.10, tcx before 6.6) it is
        attached in the older way, which nothing can pin; `Filter` is tc's on any kernel. Raises:
        UsageError for a program that cannot go there or whose section names no target,
        NotFoundError, NotSupportedError, SyscallError.
        """
        from bpfctl.loader.attach import attach_program

        with explaining(self._object.spec):
            found = attach_program(self._object, self.name, target, hold=True)
        if not found.links and found.held is None:
            raise UsageError(
                f'SEC "{self.section.text}" does not say what to attach to',
                code="attach-target-not-named",
                program=self.name,
                remedy="say it: attach(Xdp(...)), see bpfctl.targets",
            )
        return Link(*found.links, held=found.held)

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Keep it under a path of a bpffs. Raises: PathError, SyscallError."""
        from bpfctl.objects.pin import pin

        with explaining():
            pin(self.fd, os.fspath(path))

    def run(self, data: bytes = b"", *, context: bytes = b"") -> int:
        """Run it once on a packet or a context, and give what it returned.

        Raises: SyscallError where programs of its type cannot be run so.
        """
        return self.test_run(data, context=context).value

    def test_run(
        self,
        data: bytes = b"",
        *,
        context: bytes = b"",
        repeat: int = 0,
        cpu: int | None = None,
        room: int = ROOM,
    ) -> TestRun:
        """Run it on a packet or a context, and give what became of them (BPF_PROG_RUN).

        `repeat` is how often, for a mean time; the packet then begins anew each time. `cpu` is for
        raw tracepoints (Linux 5.10). `room` is how many bytes the packet may grow.
        Raises: SyscallError where programs of its type cannot be run so (EOPNOTSUPP), or where the
        packet grew more (ENOSPC).
        """
        from bpfctl.kernel.attr import prog_test_run
        from bpfctl.kernel.bpf import bpf

        is_syscall = self.section.prog_type is ProgType.SYSCALL
        ctx_in = bytearray(context)
        ctx_out = bytearray(len(context)) if context and self._gives_context else None
        data_out = bytearray(len(data) + room) if data else None
        request = prog_test_run(
            self.fd,
            data_in=data,
            data_out=data_out,
            ctx_in=ctx_in,
            ctx_out=ctx_out,
            flags=_ON_CPU if cpu is not None else 0,
            cpu=cpu or 0,
            repeat=repeat,
        )
        with explaining():
            bpf(request)
        return TestRun(
            value=request.retval,
            data=bytes(data_out or b"")[: request.data_size_out],
            context=bytes(ctx_in) if is_syscall else bytes(ctx_out or b"")[: request.ctx_size_out],
            duration_ns=request.duration_ns,
        )

    @property
    def _gives_context(self) -> bool:
        """Whether the kernel writes the context back, elsewhere than where it read it."""
        return self.section.prog_type in _CONTEXTS

    def __repr__(self) -> str:
        return f"<program {self.name} of section {self.section.text!r}>"


class Link:
    """A program at its target; closing it detaches, unless it is pinned.

    There are several `fds` where one link of the kernel does not reach all of the target: a perf
    event on every CPU, and a static probe in several places before Linux 6.6.
    """

    def __init__(self, *fds: Fd, held: ExitStack | None = None) -> None:
        """Take ownership of the descriptors of links, or of what is held without one."""
        self.fds = fds
        self._held = held

    @property
    def fd(self) -> Fd:
        """The link, or the first of several. Raises: NotSupportedError where it is none."""
        self._need_link()
        return self.fds[0]

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Keep it under a path of a bpffs; several in a directory there.

        Raises: PathError, SyscallError, NotSupportedError where the kernel has no links for that;
        nothing is pinned then.
        """
        self._need_link()
        from bpfctl.loader.pins import PinSet

        pins = PinSet()
        with explaining():
            try:
                pins.pin_each(self.fds, os.fspath(path))
            except BaseException:
                pins.undo()
                raise

    def _need_link(self) -> None:
        if not self.fds:
            raise NotSupportedError("links to that", code="link-kind-unsupported")

    def close(self) -> None:
        """Let go of it. May be called twice."""
        for fd in self.fds:
            fd.close()
        if self._held is not None:
            self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if not self.fds:
            return "<attached without a link>"
        numbers = [str(fd.fileno()) for fd in self.fds if not fd.closed]
        return f"<link at descriptors {', '.join(numbers)}>" if numbers else "<closed link>"
