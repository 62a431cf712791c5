"""Read all entries of a map: many at a call where the kernel can, one by one where it cannot."""

from __future__ import annotations

import errno

from bpfctl.errors import ENOTSUPP, BpfctlError, SyscallError
from bpfctl.kernel.attr_map import map_batch, map_elem, map_get_next_key
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.uapi import Cmd
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from bpfctl.kernel.fd import Fd

FIRST_COUNT = 1024
CHUNK_BYTES = 1 << 18  # of keys and values; a batch has at least one entry
# How often over a map may be read before we give up: keys that come and go can send a walk back.
MOST_ROUNDS = 4
# What the kernel says of a map type, or of itself, that has no batches (before Linux 5.6: EINVAL).
_NO_BATCHES = frozenset({errno.EINVAL, errno.EOPNOTSUPP, ENOTSUPP})
_INTERRUPTED = frozenset({errno.EINTR, errno.EAGAIN})
_MOST_TRIES = 100


@plain
class Layout:
    """The sizes that decide how entries lie in memory; `value_size` is that of all slots.

    `batches` is False where batches would not do: at an empty place of a map of maps older kernels
    gave up with EINTR, until the fix "bpf: skip non exist keys in generic_map_lookup_batch".
    """

    key_size: int
    value_size: int
    max_entries: int
    batches: bool = True

    @property
    def count(self) -> int:
        """How many entries to ask for at first."""
        fitting = CHUNK_BYTES // max(1, self.key_size + self.value_size)
        return max(1, min(FIRST_COUNT, fitting, self.max_entries))


@plain
class Batch:
    """Entries: `count` keys without gaps, and as many values."""

    keys: bytes
    values: bytes
    count: int


class Walk:
    """One reading of all entries of a map, in the kernel's order, a batch at a time.

    The map may change meanwhile: entries that vanish are skipped, new ones may be missed, and
    some may come twice. `complete` is False once the reading was given up because the map changed
    faster than it was read.
    """

    def __init__(self, fd: Fd, layout: Layout) -> None:
        self.fd = fd
        self.layout = layout
        self.complete = True
        self._left = MOST_ROUNDS * layout.max_entries + FIRST_COUNT

    def batches(self) -> Generator[Batch, None, None]:
        """Yield the entries. Raises: SyscallError, BpfctlError for values nobody may read."""
        for batch in self._source():
            yield batch
            self._left -= batch.count
            if self._left < 0:
                self.complete = False
                return

    def _source(self) -> Generator[Batch, None, None]:
        if self.layout.batches:
            reader = _BatchReader(self.fd, self.layout)
            first = reader.read()
            if first is not None:
                return self._many(reader, first)
        return self._one_by_one()

    def _many(self, reader: _BatchReader, first: Batch) -> Generator[Batch, None, None]:
        batch: Batch | None = first
        while batch is not None:
            if batch.count:
                yield batch
            batch = None if reader.at_end else reader.read()

    def _one_by_one(self) -> Generator[Batch, None, None]:
        """Follow the keys. A lookup of a key that vanished is skipped."""
        keys, values, count = bytearray(), bytearray(), 0
        key: bytearray | None = None
        for _ in range(max(1, self._left)):
            key = self._key_after(key)
            if key is None:
                break
            value = self._lookup(key)
            if value is not None:
                keys += key
                values += value
                count += 1
            if count >= self.layout.count:
                yield Batch(bytes(keys), bytes(values), count)
                keys, values, count = bytearray(), bytearray(), 0
        else:
            self.complete = False
        if count:
            yield Batch(bytes(keys), bytes(values), count)

    def _key_after(self, key: bytearray | None) -> bytearray | None:
        found = bytearray(self.layout.key_size)
        attr = map_get_next_key(self.fd, key, found)
        result = try_bpf(attr)
        if result == -errno.ENOENT:
            return None
        if result < 0:
            raise SyscallError(-result, attr.call, attr.doing)
        return found

    def _lookup(self, key: bytearray) -> bytearray | None:
        value = bytearray(self.layout.value_size)
        attr = map_elem(Cmd.MAP_LOOKUP_ELEM, self.fd, key, value)
        result = try_bpf(attr)
        if result == -errno.ENOENT:
            return None
        if result < 0:
            raise unreadable(-result)
        return value


def unreadable(number: int) -> BpfctlError:
    """Word the answer of a map whose values a lookup does not give.

    Source: sock_map_lookup_sys() answers ENOSPC to values under 8 bytes (net/core/sock_map.c),
    fd_array_map_lookup_elem() ENOTSUPP where a descriptor has no id (kernel/bpf/arraymap.c).
    """
    if number == errno.ENOSPC:
        return BpfctlError(
            "its values are sockets, and user space may only see them where they have 8 bytes",
            code="map-values-hidden",
        )
    if number in {ENOTSUPP, errno.EOPNOTSUPP}:
        return BpfctlError(
            "its type keeps its values to itself: user space cannot look them up",
            code="map-values-hidden",
        )
    return SyscallError(number, "BPF_MAP_LOOKUP_ELEM", "read an entry")


class _BatchReader:
    """Issues BPF_MAP_LOOKUP_BATCH, and asks for more at once where a hash bucket needs it.

    Source: __htab_map_lookup_and_delete_batch() (kernel/bpf/hashtab.c) answers ENOSPC when the
    next bucket does not fit, ENOENT when it reached the end; Linux 6.18.
    """

    def __init__(self, fd: Fd, layout: Layout) -> None:
        self.fd = fd
        self.layout = layout
        self.at_end = False
        self._position: bytearray | None = None
        self._resize(layout.count)

    def _resize(self, count: int) -> None:
        self._count = count
        self._keys = bytearray(count * self.layout.key_size)
        self._values = bytearray(count * self.layout.value_size)

    def read(self) -> Batch | None:
        """Read on. None, at the first time only, where batches are not possible.

        Raises: SyscallError.
        """
        for _ in range(_MOST_TRIES):
            # Hash tables write a bucket's number (4 bytes), all others a key.
            after = bytearray(max(4, self.layout.key_size))
            result, done = self._call(after)
            if result == -errno.ENOSPC and done == 0 and self._may_grow():
                self._resize(self._count * 2)
            elif result in {0, -errno.ENOENT} or (done and -result in _INTERRUPTED):
                self.at_end = result == -errno.ENOENT or done == 0
                self._position = after
                return self._batch(done)
            elif self._position is None and -result in _NO_BATCHES:
                return None
            elif -result not in _INTERRUPTED:
                break
        raise SyscallError(-result, "BPF_MAP_LOOKUP_BATCH", "read the entries of a map")

    def _call(self, after: bytearray) -> tuple[int, int]:
        cmd = Cmd.MAP_LOOKUP_BATCH
        place = self._position
        attr = map_batch(cmd, self.fd, place, after, self._keys, self._values, self._count)
        result = try_bpf(attr)
        return result, min(attr.count, self._count)

    def _may_grow(self) -> bool:
        """Whether a larger batch makes sense: all entries could lie in one bucket, no more."""
        return self._count < 2 * self.layout.max_entries

    def _batch(self, count: int) -> Batch:
        keys = bytes(memoryview(self._keys)[: count * self.layout.key_size])
        values = bytes(memoryview(self._values)[: count * self.layout.value_size])
        return Batch(keys, values, count)
