"""Maps as `map show` and `map pin` have them."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.kernel.attr import map_create, map_freeze
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import MapType
from bpfctl.objects.map import Map, maps
from tests.cli.runner import in_process, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RDONLY_PROG = 1 << 7  # BPF_F_RDONLY_PROG


@pytest.fixture
def name() -> str:
    """Return a name that no other map on this machine has."""
    return f"v{os.getpid()}"


@pytest.fixture
def opened(name: str) -> Iterator[Map]:
    """Return an array of our own."""
    attr = map_create(
        map_type=MapType.ARRAY,
        key_size=4,
        value_size=12,
        max_entries=3,
        map_flags=RDONLY_PROG,
        name=name,
    )
    with Map(bpf_fd(attr)) as made:
        yield made


def without_ours(record: dict[str, Any]) -> dict[str, Any]:
    """Leave out what bpftool 7.1 does not know."""
    return {key: value for key, value in record.items() if key not in {"pids", "map_extra"}}


@pytest.mark.parametrize(
    ("kind", "key", "value", "entries"),
    [
        pytest.param(MapType.HASH, 4, 8, 10, id="hash"),
        pytest.param(MapType.RINGBUF, 0, 0, 4096, id="ringbuf"),
        pytest.param(MapType.PERCPU_ARRAY, 4, 3, 2, id="percpu_array"),
        pytest.param(MapType.PROG_ARRAY, 4, 4, 2, id="prog_array"),
        pytest.param(MapType.STACK, 0, 4, 2, id="stack"),
    ],
)
def test_json_is_that_of_bpftool(
    kind: MapType, key: int, value: int, entries: int, name: str, bpftool: Callable[..., Any]
) -> None:
    attr = map_create(map_type=kind, key_size=key, value_size=value, max_entries=entries, name=name)
    with Map(bpf_fd(attr)) as made:
        words = ("map", "show", "id", str(made.info.id))
        assert without_ours(in_process("-j", *words).json) == without_ours(bpftool(*words))


def test_all_maps_are_listed(opened: Map, name: str, bpftool: Callable[..., Any]) -> None:
    ours = [record for record in in_process("-j", "map", "show").json if record.get("name") == name]
    # One at a time: from Linux 6.18 bpftool's list has fields of the map before.
    theirs = [bpftool("map", "show", "id", str(opened.info.id))]
    assert [without_ours(record) for record in ours] == [without_ours(record) for record in theirs]
    assert [info.id for info in maps() if info.name == name] == [opened.info.id]


def test_by_name_there_is_one_object_or_a_list(opened: Map, name: str) -> None:
    assert in_process("-j", "map", "show", "name", name).json["id"] == opened.info.id
    attr = map_create(map_type=MapType.ARRAY, key_size=4, value_size=4, max_entries=1, name=name)
    with Map(bpf_fd(attr)) as second:
        found = in_process("-j", "map", "show", name).json
        assert [record["id"] for record in found] == [opened.info.id, second.info.id]


def test_a_frozen_map(opened: Map) -> None:
    assert opened.info.frozen is False
    bpf(map_freeze(opened.fd))
    record = in_process("-j", "map", "show", str(opened.info.id)).json
    assert (record["frozen"], record["flags"]) == (1, RDONLY_PROG)


def test_a_line_for_people(opened: Map, name: str) -> None:
    table = in_process("map", "show").out.splitlines()
    assert table[0].split()[:3] == ["ID", "TYPE", "NAME"]
    (line,) = [line for line in table if f" {name} " in line]
    assert line.split()[:6] == [str(opened.info.id), "array", name, "4", "B", "12"]
    shown = in_process("map", "show", "id", str(opened.info.id)).out
    assert f"name           {name}\n" in shown


def test_pin_show_and_dump_by_path(opened: Map, bpffs: Path) -> None:
    place = str(bpffs / "pinned")
    assert run_pin(opened, place) == (0, "", "")
    record = in_process("-j", "map", "show", "pinned", place).json
    assert (record["id"], record["pinned"]) == (opened.info.id, [place])
    assert len(in_process("-j", "map", "dump", place).json) == 3


def run_pin(opened: Map, place: str, *options: str) -> tuple[int, str, str]:
    done = in_process(*options, "map", "pin", "id", str(opened.info.id), place)
    return done.status, done.out, done.err


def test_a_pin_in_json_is_null_as_in_bpftool(opened: Map, bpffs: Path) -> None:
    assert run_pin(opened, str(bpffs / "pinned"), "-j") == (0, "null\n", "")


def test_a_place_that_is_taken(opened: Map, bpffs: Path) -> None:
    place = bpffs / "pinned"
    run_pin(opened, str(place))
    status, out, err = run_pin(opened, str(place))
    assert (status, out, place.exists()) == (1, "", True)
    assert "exists" in err


@pytest.mark.parametrize(
    ("words", "status"),
    [
        pytest.param(("map", "show", "id", "4294967295"), 3, id="no-such-id"),
        pytest.param(("map", "dump", "name", "no-such-map"), 3, id="no-such-name"),
        pytest.param(("map", "dump"), 2, id="no-map"),
        pytest.param(("map", "dump", "id", "x"), 2, id="no-number"),
        pytest.param(("map", "dump", "id", "1", "more"), 2, id="too-many-words"),
        pytest.param(("map", "pin", "id", "1"), 2, id="no-path"),
        pytest.param(("map", "pin", "id", "4294967295", "/sys/fs/bpf/x"), 3, id="pin-no-such-id"),
        pytest.param(("map", "show", "tag", "ab"), 2, id="maps-have-no-tag"),
    ],
)
def test_wrong_words_and_missing_maps(words: tuple[str, ...], status: int) -> None:
    done = run(*words)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith("bpfctl: ")
    assert in_process("-j", *words).json["error"]["status"] == status


def test_a_descriptor_of_something_else_is_closed() -> None:
    fd = Fd(os.open(os.devnull, os.O_RDONLY))
    with pytest.raises(SyscallError) as caught:
        Map(fd)
    assert (caught.value.errno, fd.closed) == (errno.EINVAL, True)
