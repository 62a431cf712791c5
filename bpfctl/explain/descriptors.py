"""EMFILE: more open files than this process may have."""

from __future__ import annotations

import errno
import resource

from bpfctl.elf.spec import ObjectSpec
from bpfctl.explain.explanation import Explanation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.explain.failure import Failure


def exhausted(failure: Failure) -> Explanation | None:
    """Name the limit: the kernel says EMFILE for nothing else.

    Source: alloc_fd(), fs/file.c, Linux 6.18.
    """
    if failure.errno != errno.EMFILE:
        return None
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    evidence = [f"this process may open {limit} files (RLIMIT_NOFILE)"]
    spec = failure.fact(ObjectSpec)
    if spec is not None:
        evidence.append(
            f"the object has {len(spec.maps)} maps and {len(spec.programs)} programs, which take"
            " one each while it is loaded"
        )
    further = f" (up to {most} without rights)" if limit < most else ""
    return Explanation(
        "too-many-descriptors",
        "this process has as many files open as it may",
        tuple(evidence),
        f"raise the limit of open files: ulimit -n{further}",
    )
