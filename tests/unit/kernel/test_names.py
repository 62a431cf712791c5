from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.kernel.layout import field_end
from bpfctl.kernel.names import known, label, number
from bpfctl.kernel.uapi import AttachType, LinkType, MapType, ProgType

if TYPE_CHECKING:
    from enum import IntEnum

NEWER = 4242


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        pytest.param(MapType, MapType.LRU_HASH, "lru_hash", id="plain"),
        pytest.param(MapType, 19, "cgroup_storage", id="not-the-deprecated-alias"),
        pytest.param(MapType, 21, "percpu_cgroup_storage", id="not-the-deprecated-alias-2"),
        pytest.param(ProgType, 26, "tracing", id="prog"),
        pytest.param(AttachType, 46, "tcx_ingress", id="attach"),
        pytest.param(LinkType, 7, "perf_event", id="link"),
    ],
)
def test_names_and_back(kind: type[IntEnum], value: int, text: str) -> None:
    assert label(kind, value) == text
    assert number(kind, text) == number(kind, text.upper()) == number(kind, str(int(value)))
    assert known(kind, int(value)) is kind(value)


def test_numbers_newer_than_we_are_survive() -> None:
    assert (label(MapType, NEWER), known(MapType, NEWER)) == (NEWER, NEWER)
    assert number(MapType, str(NEWER)) == NEWER


@pytest.mark.parametrize("text", ["", "no_such_type", "-1", "٣", "1.0", "__MAX_BPF_MAP_TYPE"])
def test_no_names(text: str) -> None:
    assert number(MapType, text) is None


# Offsets counted by hand from include/uapi/linux/bpf.h.
@pytest.mark.parametrize(
    ("struct", "path", "end"),
    [
        pytest.param("union bpf_attr", "map_type", 4, id="in-anonymous"),
        pytest.param("union bpf_attr", "log_true_size", 144, id="far-in-anonymous"),
        pytest.param("union bpf_attr", "query.revision", 64, id="path"),
        pytest.param("union bpf_attr", "link_create.tcx.expected_revision", 32, id="long-path"),
        pytest.param("struct bpf_prog_info", "gpl_compatible", 88, id="bit-field"),
        pytest.param("struct bpf_link_info", "iter.task.pid", 40, id="union-in-union"),
    ],
)
def test_field_ends(struct: str, path: str, end: int) -> None:
    assert field_end(struct, path) == end


@pytest.mark.parametrize("path", ["no_such", "query.no_such", "map_type.inner"])
def test_fields_that_are_not_there(path: str) -> None:
    with pytest.raises(KeyError):
        field_end("union bpf_attr", path)
