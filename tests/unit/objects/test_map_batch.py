"""Reading all entries of a map, with kernels that answer in every way they may."""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import ENOTSUPP, BpfctlError, SyscallError
from bpfctl.kernel.bpf import replaced
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.uapi import Cmd
from bpfctl.objects.map_batch import FIRST_COUNT, MOST_ROUNDS, Batch, Layout, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, VALUE = 4, 8


def put(address: int, data: bytes) -> None:
    ffi.memmove(ffi.cast("char *", address), data, len(data))


def get(address: int) -> int:
    return int.from_bytes(bytes(ffi.buffer(ffi.cast("char *", address), KEY)), "little")


@dataclass
class Table:
    """A kernel with one hash table: buckets of keys, where the value of key k is 10 * k.

    `batch_errno` is the answer to every batch; `interrupt` the numbers of the batches that a
    signal ends. `gone` are keys that vanish before they are looked up.
    """

    buckets: list[list[int]]
    batch_errno: int = 0
    lookup_errno: int = 0
    interrupt: frozenset[int] = frozenset()
    gone: frozenset[int] = frozenset()
    endless: bool = False
    calls: list[tuple[str, int]] = field(default_factory=list)

    @property
    def keys(self) -> list[int]:
        return [key for bucket in self.buckets for key in bucket]

    def __call__(self, cmd: int, union: Any, size: int) -> int:
        answers = {
            Cmd.MAP_LOOKUP_BATCH: self.batch,
            Cmd.MAP_GET_NEXT_KEY: self.next_key,
            Cmd.MAP_LOOKUP_ELEM: self.lookup,
        }
        return answers[Cmd(cmd)](union)

    def batch(self, union: Any) -> int:
        attr = union.batch
        room, attr.count = attr.count, 0
        self.calls.append(("batch", room))
        if self.batch_errno:
            return -self.batch_errno
        at = get(attr.in_batch) if attr.in_batch else 0
        taken: list[int] = []
        result = 0
        while result == 0 and not (self.endless and taken):
            if at == len(self.buckets):
                result = -errno.ENOENT
            elif len(self.buckets[at]) > room - len(taken):
                result = 0 if taken else -errno.ENOSPC
                break
            else:
                taken += self.buckets[at]
                at += 0 if self.endless else 1
            if len(self.calls) in self.interrupt:
                result = -errno.EINTR
        put(attr.keys, b"".join(struct.pack("<I", key) for key in taken))
        put(attr.values, b"".join(struct.pack("<Q", 10 * key) for key in taken))
        put(attr.out_batch, struct.pack("<I", at))
        attr.count = len(taken)
        return result

    def next_key(self, union: Any) -> int:
        self.calls.append(("next", 1))
        keys = self.keys
        before = get(union.key) if union.key else None
        place = keys.index(before) + 1 if before in keys and not self.endless else 0
        if place == len(keys):
            return -errno.ENOENT
        put(union.next_key, struct.pack("<I", keys[place]))
        return 0

    def lookup(self, union: Any) -> int:
        key = get(union.key)
        if self.lookup_errno or key in self.gone:
            return -(self.lookup_errno or errno.ENOENT)
        put(union.value, struct.pack("<Q", 10 * key))
        return 0


@pytest.fixture
def fd() -> Iterator[Fd]:
    """Return a descriptor: the fake kernel does not look at it."""
    with Fd(os.open(os.devnull, os.O_RDONLY)) as found:
        yield found


def walk(
    fd: Fd, table: Table, *, entries: int = 100, batches: bool = True
) -> tuple[Walk, list[Batch]]:
    found = Walk(fd, Layout(KEY, VALUE, entries, batches))
    with replaced(table):
        return found, list(found.batches())


def keys_of(batches: list[Batch]) -> list[int]:
    """Return the keys in order, having checked that each has its value."""
    keys = struct.unpack(f"<{sum(b.count for b in batches)}I", b"".join(b.keys for b in batches))
    values = struct.unpack(f"<{len(keys)}Q", b"".join(b.values for b in batches))
    assert values == tuple(10 * key for key in keys)
    return list(keys)


BUCKETS = [[1], [], [2, 3], [4, 5, 6], [7]]


@pytest.mark.parametrize(
    ("entries", "sizes"),
    [
        pytest.param(100, [7], id="at-once"),
        pytest.param(3, [3, 3, 1], id="in-pieces"),
        pytest.param(2, [1, 2, 4], id="grows-for-a-full-bucket"),
    ],
)
def test_batches(fd: Fd, entries: int, sizes: list[int]) -> None:
    found, batches = walk(fd, Table(BUCKETS), entries=entries)
    assert keys_of(batches) == [1, 2, 3, 4, 5, 6, 7]
    assert [batch.count for batch in batches] == sizes
    assert found.complete


def test_an_empty_map(fd: Fd) -> None:
    found, batches = walk(fd, Table([[], []]))
    assert (batches, found.complete) == ([], True)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP, ENOTSUPP])
def test_without_batches_keys_are_followed(fd: Fd, number: int) -> None:
    table = Table(BUCKETS, batch_errno=number, gone=frozenset({3, 7}))
    found, batches = walk(fd, table, entries=4)
    assert keys_of(batches) == [1, 2, 4, 5, 6]
    assert [batch.count for batch in batches] == [4, 1]
    assert found.complete
    assert table.calls.count(("batch", 4)) == 1


def test_batches_are_not_tried_where_they_would_not_do(fd: Fd) -> None:
    table = Table(BUCKETS)
    _, batches = walk(fd, table, batches=False)
    assert keys_of(batches) == [1, 2, 3, 4, 5, 6, 7]
    assert {name for name, _ in table.calls} == {"next"}


def test_an_interrupted_batch_goes_on_where_it_was(fd: Fd) -> None:
    found, batches = walk(fd, Table(BUCKETS, interrupt=frozenset({1, 2, 3})))
    assert keys_of(batches) == [1, 2, 3, 4, 5, 6, 7]
    assert [batch.count for batch in batches] == [1, 6]
    assert found.complete


@pytest.mark.parametrize(
    ("table", "number"),
    [
        pytest.param(Table(BUCKETS, batch_errno=errno.EPERM), errno.EPERM, id="not-permitted"),
        pytest.param(Table(BUCKETS, batch_errno=errno.EINTR), errno.EINTR, id="always-interrupted"),
        pytest.param(Table(BUCKETS, batch_errno=errno.ENOSPC), errno.ENOSPC, id="never-room"),
    ],
)
def test_other_errors_are_raised(fd: Fd, table: Table, number: int) -> None:
    with pytest.raises(SyscallError) as caught:
        walk(fd, table)
    assert (caught.value.errno, caught.value.call) == (number, "BPF_MAP_LOOKUP_BATCH")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(errno.ENOSPC, "map-values-hidden", id="sockets"),
        pytest.param(ENOTSUPP, "map-values-hidden", id="descriptors"),
        pytest.param(errno.EPERM, "syscall-failed", id="not-permitted"),
    ],
)
def test_values_that_cannot_be_looked_up(fd: Fd, number: int, code: str) -> None:
    with pytest.raises(BpfctlError) as caught:
        walk(fd, Table(BUCKETS, batch_errno=ENOTSUPP, lookup_errno=number))
    assert caught.value.code == code


@pytest.mark.parametrize("number", [0, ENOTSUPP], ids=["batches", "one-by-one"])
def test_a_map_that_never_ends_is_given_up(fd: Fd, number: int) -> None:
    found, batches = walk(fd, Table([[1, 2]], batch_errno=number, endless=True), entries=50)
    read = sum(batch.count for batch in batches)
    assert not found.complete
    assert MOST_ROUNDS * 50 <= read <= MOST_ROUNDS * 50 + 2 * FIRST_COUNT


def test_keys_that_all_vanish_end_too(fd: Fd) -> None:
    table = Table([[1, 2]], batch_errno=ENOTSUPP, endless=True, gone=frozenset({1, 2}))
    found, batches = walk(fd, table, entries=50)
    assert (found.complete, batches) == (False, [])


@pytest.mark.parametrize(
    ("layout", "count"),
    [
        pytest.param(Layout(4, 32, 10**6), FIRST_COUNT, id="small-entries"),
        pytest.param(Layout(4, 32, 10), 10, id="few-entries"),
        pytest.param(Layout(4, 1 << 30, 10), 1, id="huge-values"),
        pytest.param(Layout(16, 4, 0), 1, id="no-limit"),
    ],
)
def test_the_first_batch_is_bounded(layout: Layout, count: int) -> None:
    assert layout.count == count
