"""Maps that the kernel refuses: each rule is broken once, and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bpfctl.errors import BpfctlError, SyscallError
from bpfctl.explain.engine import explain
from bpfctl.kernel.attr_map import map_create
from bpfctl.kernel.bpf import bpf_fd, kernel_words
from bpfctl.kernel.uapi import MapType as M
from tests.cli.runner import in_process
from tests.kernel import needs

pytestmark = pytest.mark.usefixtures("locked_memory")
DATA = Path(__file__).parent.parent / "data"
HASH: dict[str, Any] = {"map_type": M.HASH, "key_size": 4, "value_size": 8, "max_entries": 16}
RING: dict[str, Any] = {"map_type": M.RINGBUF, "key_size": 0, "value_size": 0}
NO_PREALLOC, MMAPABLE = 1, 1 << 10


def refusal(**fields: Any) -> BpfctlError:
    """Ask for a map that cannot be made, and return the error with its cause."""
    with pytest.raises(SyscallError) as caught:
        bpf_fd(map_create(name="routes", **fields)).close()
    return explain(caught.value)


INDEX = "the key is the index, of 4 bytes"
RULES = [
    pytest.param(
        HASH | {"max_entries": 0},
        "map-without-size",
        "create map routes: max_entries is 0: the size is not set",
        "set max_entries to the most entries it may have",
        id="size",
        marks=pytest.mark.explains("map-without-size"),
    ),
    pytest.param(
        HASH | {"map_type": M.SK_STORAGE, "map_flags": NO_PREALLOC},
        "map-size-not-zero",
        "create map routes: max_entries is 16; it lives with its owners and has no size",
        "leave max_entries out",
        id="storage-with-size",
        marks=pytest.mark.explains("map-size-not-zero"),
    ),
    pytest.param(
        RING | {"max_entries": 12288},
        "map-ring-size",
        "create map routes: max_entries is 12288; the size of a ring buffer in bytes is a power of"
        " two of whole pages of 4096 bytes",
        "set max_entries to 16384",
        id="ring-of-three-pages",
        marks=pytest.mark.explains("map-ring-size"),
    ),
    pytest.param(
        RING | {"max_entries": 1000},
        "map-ring-size",
        "create map routes: max_entries is 1000; the size of a ring buffer in bytes is a power of"
        " two of whole pages of 4096 bytes",
        "set max_entries to 4096",
        id="ring-of-no-page",
    ),
    pytest.param(
        HASH | {"map_type": M.ARRAY, "key_size": 8},
        "map-key-size-refused",
        f"create map routes: key_size is 8; {INDEX}",
        "set key_size to 4",
        id="array-key",
        marks=pytest.mark.explains("map-key-size-refused"),
    ),
    pytest.param(
        HASH | {"map_type": M.LPM_TRIE, "map_flags": NO_PREALLOC},
        "map-key-size-refused",
        "create map routes: key_size is 4; the key is a prefix length of 4 bytes and 1 to 256 bytes"
        " of data",
        "choose another key",
        id="trie-key",
    ),
    pytest.param(
        HASH | {"map_type": M.QUEUE},
        "map-key-size-refused",
        "create map routes: key_size is 4; it has no keys",
        "set key_size to 0",
        id="queue-key",
    ),
    pytest.param(
        HASH | {"map_type": M.PROG_ARRAY},
        "map-value-size-refused",
        "create map routes: value_size is 8; the value is a descriptor, of 4 bytes",
        "set value_size to 4",
        id="descriptors",
        marks=pytest.mark.explains("map-value-size-refused"),
    ),
    pytest.param(
        HASH | {"map_type": M.PERCPU_ARRAY, "value_size": 65536},
        "map-value-size-refused",
        "create map routes: value_size is 65536; a value for each CPU has up to 32768 bytes",
        "choose another value",
        id="per-cpu-value",
    ),
    pytest.param(
        HASH | {"value_size": 1 << 23},
        "map-value-size-refused",
        "create map routes: value_size is 8388608; so large a value is refused",
        "choose another value",
        id="large-value",
    ),
    pytest.param(
        HASH | {"map_type": M.LPM_TRIE, "key_size": 8},
        "map-no-prealloc-missing",
        "create map routes: it takes memory as it grows, and the flag that says so is missing",
        "add BPF_F_NO_PREALLOC: __uint(map_flags, BPF_F_NO_PREALLOC)",
        id="trie-flag",
        marks=pytest.mark.explains("map-no-prealloc-missing"),
    ),
    pytest.param(
        {"map_type": M.ARENA, "key_size": 0, "value_size": 0, "max_entries": 1},
        "map-mmapable-missing",
        "create map routes: an arena is memory to be mapped, and the flag that says so is missing",
        "add BPF_F_MMAPABLE: __uint(map_flags, BPF_F_MMAPABLE)",
        id="arena-flag",
        marks=(pytest.mark.explains("map-mmapable-missing"), needs.ARENA),
    ),
    pytest.param(
        HASH | {"numa_node": 77},
        "map-numa-node",
        "create map routes: there is no NUMA node 77 that is online",
        "leave numa_node out, or name a node that is online",
        id="numa",
        marks=pytest.mark.explains("map-numa-node"),
    ),
    pytest.param(
        {"map_type": M.BLOOM_FILTER, "key_size": 0, "value_size": 4, "max_entries": 4}
        | {"map_extra": 99},
        "map-extra-refused",
        "create map routes: map_extra is 99, which is refused",
        "leave map_extra out",
        id="extra",
        marks=(pytest.mark.explains("map-extra-refused"), needs.BLOOM_FILTER),
    ),
    pytest.param(
        HASH | {"map_flags": MMAPABLE},
        "map-flag-refused",
        "create map routes: the flag BPF_F_MMAPABLE is refused",
        "leave the flag out, or take a type or a kernel that has it",
        id="flag",
        marks=pytest.mark.explains("map-flag-refused"),
    ),
    pytest.param(
        HASH | {"map_flags": 1 << 30},
        "map-flag-refused",
        "create map routes: the flag 0x40000000 is refused",
        "leave the flag out, or take a type or a kernel that has it",
        id="flag-of-no-kernel",
    ),
]


@pytest.mark.parametrize(("fields", "code", "words", "remedy"), RULES)
def test_a_broken_rule(fields: dict[str, Any], code: str, words: str, remedy: str) -> None:
    found = refusal(**fields)
    assert (found.code, found.message, found.remedy) == (code, words, remedy)
    assert "with that changed is made, and not without" in found.evidence[0]


KEY_8 = {"key_size": 8, "max_entries": 0}


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        pytest.param(
            HASH | {"key_size": 1024},
            "map-key-size-refused",
            "key_size is 1024; this kernel takes keys of up to 512 bytes",
            id="key",
        ),
        pytest.param(
            KEY_8 | {"map_type": M.PERCPU_CGROUP_STORAGE, "value_size": 16384},
            "map-value-size-refused",
            "value_size is 16384; this kernel takes up to 4096 bytes for a cgroup",
            id="cgroup, per CPU",
        ),
        pytest.param(
            KEY_8 | {"map_type": M.CGROUP_STORAGE, "value_size": 64768},
            "map-value-size-refused",
            "value_size is 64768; this kernel takes up to 4096 bytes for a cgroup",
            id="cgroup",
        ),
    ],
)
def test_limits_of_older_kernels(fields: dict[str, Any], code: str, words: str) -> None:
    """Linux 5.10 has them; where the map is made, there is nothing to name."""
    try:
        bpf_fd(map_create(name="routes", **fields)).close()
    except SyscallError as refused:
        found = explain(refused)
        assert (found.code, found.message) == (code, f"create map routes: {words}")
        assert found.evidence[0].endswith("with that changed is made, and not without")


def test_two_broken_rules() -> None:
    found = refusal(**HASH | {"map_type": M.ARRAY, "key_size": 8, "max_entries": 0})
    assert found.code == "map-without-size"
    assert found.evidence[0] == f"key_size is 8; {INDEX}"
    assert found.remedy == "set max_entries to the most entries it may have; set key_size to 4"


@pytest.mark.explains("map-too-large")
def test_too_large() -> None:
    """Four billion entries of 1 KiB are more than any machine of ours has."""
    found = refusal(**HASH | {"map_type": M.ARRAY, "max_entries": 0xFFFFFFFF, "value_size": 1024})
    assert found.code == "map-too-large"
    assert found.message.startswith("create map routes: too large: ")
    assert found.evidence[0] == "4294967295 entries of 4 + 1024 bytes take 4210688 MiB at least"
    assert found.remedy == "fewer entries (--set-max-entries routes=N), or smaller values"


def test_from_the_command_line(bpffs: Path) -> None:
    words = ["prog", "loadall", str(DATA / "maps.bpf.o"), str(bpffs / "x")]
    done = in_process("-j", *words, "--set-max-entries", "counters=4294967295")
    assert (done.status, done.json["error"]["code"]) == (1, "map-too-large")
    assert done.json["error"]["errno"] in ("E2BIG", "ENOMEM")
    assert "--set-max-entries counters=N" in done.json["error"]["remedy"]
    assert list(bpffs.iterdir()) == []


def test_what_breaks_no_rule_stays_as_it_is() -> None:
    found = refusal(**HASH | {"map_type": 4242})
    assert "map" not in found.code or found.code.startswith("map-type")


@needs.COMMON_ATTRS
def test_the_kernels_own_words() -> None:
    found = refusal(**HASH | {"numa_node": 77})
    assert found.code == "map-numa-node"
    assert "the kernel says: Invalid numa_node." in found.evidence
    assert kernel_words(map_create(map_type=4242, key_size=4, value_size=4, max_entries=1)) == (
        "Invalid map_type."
    )


def test_no_words_from_what_works() -> None:
    """Kernels without it answer nothing, those with it make a map, which goes."""
    assert kernel_words(map_create(**HASH)) == ""
