"""Rules about maps, and how the kernel is made to confirm one."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.explain.failure import Failure
from bpfctl.explain.map_rules import Fields, ring_bytes, violations
from bpfctl.explain.maps import refused
from bpfctl.kernel.attr_map import map_create
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.uapi import Cmd
from bpfctl.kernel.uapi import MapType as M
from bpfctl.linux.cpus import online_nodes
from tests.fakes.kernel import FakeKernel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGE = 4096


def request(**changes: int) -> Fields:
    fine = {"map_type": int(M.HASH), "key_size": 4, "value_size": 8, "max_entries": 16}
    return fine | {"map_flags": 0, "numa_node": 0, "map_extra": 0} | changes


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        pytest.param({}, [], id="fine"),
        pytest.param({"max_entries": 0}, ["map-without-size"], id="size"),
        pytest.param({"map_type": M.ARRAY, "key_size": 8}, ["map-key-size-refused"], id="index"),
        pytest.param({"key_size": 0}, ["map-key-size-refused"], id="no-key"),
        pytest.param({"value_size": 0}, ["map-value-size-refused"], id="no-value"),
        pytest.param({"key_size": 512}, [], id="key-of-5.10"),
        pytest.param({"key_size": 513}, ["map-key-size-refused"], id="key-too-long-for-5.10"),
        pytest.param({"key_size": 1 << 16}, [], id="long-key"),
        pytest.param(
            {"map_type": M.CGROUP_STORAGE, "max_entries": 0, "value_size": PAGE}, [], id="cgroups"
        ),
        pytest.param(
            {"map_type": M.PERCPU_CGROUP_STORAGE, "max_entries": 0, "value_size": PAGE + 8},
            ["map-value-size-refused"],
            id="too-much-for-cgroups-of-5.10",
        ),
        pytest.param(
            {"map_type": M.STACK_TRACE, "value_size": 12}, ["map-value-size-refused"], id="stacks"
        ),
        pytest.param({"map_type": M.DEVMAP, "value_size": 6}, ["map-value-size-refused"], id="dev"),
        pytest.param({"map_type": M.DEVMAP}, [], id="dev-with-program"),
        pytest.param(
            {"map_type": M.RINGBUF, "key_size": 0, "value_size": 0, "max_entries": PAGE},
            [],
            id="ring",
        ),
        pytest.param(
            {"map_type": M.RINGBUF, "max_entries": PAGE},
            ["map-key-size-refused", "map-value-size-refused"],
            id="ring-with-key",
        ),
        pytest.param(
            {"map_type": M.TASK_STORAGE, "max_entries": 0}, ["map-no-prealloc-missing"], id="task"
        ),
        pytest.param({"map_flags": 4, "numa_node": 4711}, ["map-numa-node"], id="numa"),
        pytest.param({"map_flags": 4}, ["map-flag-refused"], id="numa-that-is-there"),
        pytest.param({"map_flags": 1 | 1 << 10}, ["map-flag-refused"] * 2, id="two-flags"),
    ],
)
def test_rules(changes: dict[str, int], codes: list[str]) -> None:
    broken = list(violations(request(**changes), PAGE))
    found = [one.cause.code for one in broken]
    if "map-numa-node" in codes:  # its flag is tried as well, behind
        assert found[-1] == "map-flag-refused"
        found.pop()
    assert found == codes


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, PAGE), (1, PAGE), (PAGE, PAGE), (PAGE + 1, 2 * PAGE), (3 * PAGE, 4 * PAGE)],
)
def test_sizes_of_rings(size: int, expected: int) -> None:
    assert ring_bytes(size, PAGE) == expected


def test_nodes(tmp_path: Path) -> None:
    (tmp_path / "online").write_text("0-1,4\n")
    assert online_nodes(str(tmp_path / "online")) == (0, 1, 4)
    assert online_nodes(str(tmp_path / "absent")) == (0,)


def answering(kernel: FakeKernel, takes: Callable[[Any], bool], number: int) -> FakeKernel:
    """Make maps that are as somebody says, and refuse others."""

    def answer(union: Any, size: int) -> int:
        return kernel.new_fd(union, size) if takes(union) else -number

    return kernel.on(Cmd.MAP_CREATE, answer)


def failing(number: int = errno.EINVAL, **fields: Any) -> Failure:
    wanted: dict[str, Any] = {"map_type": M.HASH, "key_size": 4, "value_size": 8, "max_entries": 16}
    error = SyscallError(number, "BPF_MAP_CREATE", "create map x")
    error.request = map_create(name="x", **wanted | fields)
    return Failure(error)


def test_only_what_the_kernel_confirms() -> None:
    """It refuses for a reason we have no rule for, whatever rule is broken besides."""
    with answering(FakeKernel(), lambda union: False, errno.EINVAL):
        assert refused(failing(map_type=M.ARRAY, key_size=8, max_entries=0)) is None


def test_the_second_rule_is_the_cause() -> None:
    takes = answering(FakeKernel(), lambda union: not union.map_flags, errno.EINVAL)
    with takes:
        found = refused(failing(map_flags=MapFlags.MMAPABLE))
    assert found is not None
    assert (found.code, found.headline) == (
        "map-flag-refused", "create map x: the flag BPF_F_MMAPABLE is refused",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(errno.ENOMEM, "there is not enough memory for it", id="memory"),
        pytest.param(errno.E2BIG, "it is more than the kernel takes for one map", id="limit"),
    ],
)
def test_too_large(number: int, words: str) -> None:
    with answering(FakeKernel(), lambda union: union.max_entries <= 64, number) as kernel:
        found = refused(failing(number, max_entries=1 << 30))
    assert found is not None
    assert (found.code, found.headline) == ("map-too-large", f"create map x: too large: {words}")
    assert found.evidence[0] == "1073741824 entries of 4 + 8 bytes take 12288 MiB at least"
    assert [call.attr.max_entries for call in kernel.calls] == [64]


@pytest.mark.parametrize(
    "fields",
    [{"map_type": M.STRUCT_OPS}, {"map_ifindex": 3}],
    ids=["struct_ops", "offloaded"],
)
def test_what_is_not_tried(fields: dict[str, Any]) -> None:
    with FakeKernel():
        assert refused(failing(**fields)) is None
        assert refused(failing(errno.EPERM)) is None


def test_what_works_on_a_second_try() -> None:
    """Then it was something that passed, or the types, which are left out."""
    with answering(FakeKernel(), lambda union: True, errno.EINVAL):
        assert refused(failing()) is None
