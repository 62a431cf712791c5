"""Answers to OBJ_GET_INFO_BY_FD about links, as a kernel gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfctl.kernel.libc import ffi

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Where the text of each pointer field goes, and the field with its room.
_LENGTHS = {
    "raw_tracepoint.tp_name": "tp_name_len",
    "iter.target_name": "target_name_len",
    "perf_event.tracepoint.tp_name": "name_len",
    "perf_event.kprobe.func_name": "name_len",
    "perf_event.uprobe.file_name": "name_len",
    "uprobe_multi.path": "path_size",
}


def answer(
    fields: Mapping[str, int],
    texts: Mapping[str, bytes] | None = None,
    arrays: Mapping[str, list[int]] | None = None,
    *,
    filled: int | None = None,
) -> Callable[[Any, int], int]:
    """Return a kernel that tells these fields ("tcx.ifindex"), and fills the tails one points to.

    `filled` is how many bytes of the struct it knows.
    """

    def fill(union: Any, size: int) -> int:
        del size
        struct = ffi.cast("struct bpf_link_info *", union.info.info)
        for path, text in (texts or {}).items():
            place, name = _outer(struct, path)
            if getattr(place, name):
                assert getattr(place, _LENGTHS[path]) > len(text)
                ffi.memmove(ffi.cast("char *", getattr(place, name)), text + b"\0", len(text) + 1)
        for path, numbers in (arrays or {}).items():
            place, name = _outer(struct, path)
            if getattr(place, name):
                assert place.count == len(numbers)
                where = ffi.cast("uint64_t *", getattr(place, name))
                where[0 : len(numbers)] = numbers
        for path, value in fields.items():
            place, name = _outer(struct, path)
            setattr(place, name, value)
        union.info.info_len = ffi.sizeof("struct bpf_link_info") if filled is None else filled
        return 0

    return fill


def _outer(struct: Any, path: str) -> tuple[Any, str]:
    *parts, name = path.split(".")
    for part in parts:
        struct = getattr(struct, part)
    return struct, name
