"""The limit of locked memory, which maps and programs count against before Linux 5.11."""

from __future__ import annotations


class MemlockLimit:
    """This process's RLIMIT_MEMLOCK: lifted when bpf(2) answers EPERM, and put back later.

    Until Linux 5.11 EPERM is also what is answered when the limit is reached, and memory counts
    until some time after an object is closed; later kernels charge the memory cgroup
    ("bpf: Eliminate rlimit-based memory accounting", kernel/bpf/syscall.c).
    """

    def __init__(self) -> None:
        self._before: tuple[int, int] | None = None
        self._tried = False

    def lift(self) -> bool:
        """Remove the limit, or raise it as far as it goes.

        Say whether that changed anything, so that a retry makes sense.
        """
        if self._tried:
            return False
        self._tried = True
        import resource  # most kernels do not charge

        before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        if before[0] == resource.RLIM_INFINITY:
            return False
        for most in (resource.RLIM_INFINITY, before[1]):
            try:
                resource.setrlimit(resource.RLIMIT_MEMLOCK, (most, most))
            except (OSError, ValueError):  # ValueError: the hard limit is lower, and not ours
                continue
            self._before = before
            return before[0] != most
        return False

    def restore(self) -> None:
        """Put the limit back."""
        before, self._before = self._before, None
        if before is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_MEMLOCK, before)
