"""Records of ring buffers, runs of programs on data, and maps that are there, from Python."""

from __future__ import annotations

import struct
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

import bpfctl
from bpfctl.errors import (
    KeyNotFoundError,
    NotFoundError,
    NotSupportedError,
    SyscallError,
    UsageError,
)
from bpfctl.loader import attach
from bpfctl.objects.attach_lacking import LINK_LACKING
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOM = 4096 // (8 + 16)  # records in the ring


@pytest.fixture
def ring(data: Path) -> Iterator[bpfctl.Object]:
    with bpfctl.open_object(str(data / "ring.bpf.o")) as obj:
        yield obj.load()


def send(ring: bpfctl.Object, *numbers: int) -> list[int]:
    """Have a program send a record for each number; give what it returned."""
    program = ring.programs["send"]
    return [program.run(context=struct.pack("=Q", one)) for one in numbers]


def test_records_are_read_once_and_by_their_type(ring: bpfctl.Object) -> None:
    events = ring.maps["events"]
    assert send(ring, 0, 1, 2, 3) == [0] * 4
    found = [ring.decode("event", one) for one in events.records(0)]
    assert found == [{"number": number, "text": "record"} for number in (0, 1, 3)]
    assert list(events.records(0)) == []


def test_a_ring_that_is_full_and_goes_round(ring: bpfctl.Object) -> None:
    assert sum(send(ring, *range(3 * ROOM))) == 2 * ROOM  # what found no room
    events = ring.maps["events"]
    assert len(list(events.records(0))) == ROOM - ROOM // 3
    for start in range(0, 5 * ROOM, 50):
        send(ring, *range(start, start + 50))
        got = [ring.decode("struct event", one)["number"] for one in events.records(0)]
        assert got == [one for one in range(start, start + 50) if one % 3 != 2]


def test_a_reader_waits(ring: bpfctl.Object) -> None:
    later = threading.Timer(0.1, send, (ring, 1))
    later.start()
    records = ring.maps["events"].records(30)
    assert ring.decode("event", next(records))["number"] == 1
    later.join()


def test_a_ring_that_is_closed_is_not_read_for_ever(data: Path) -> None:
    with bpfctl.open_object(data / "ring.bpf.o") as obj:
        obj.load(only="send")
        send(obj, 1)
        records = obj.maps["events"].records()
        assert next(records)
    with pytest.raises(ValueError, match="closed"):
        next(records)


def test_what_has_no_records_or_no_type(ring: bpfctl.Object) -> None:
    with pytest.raises(UsageError, match="a map of type hash is no ring buffer"):
        list(ring.maps["last"].records(0))
    with pytest.raises(NotFoundError, match="no type called evnet"):
        ring.decode("evnet", bytes(16))
    with pytest.raises(UsageError, match="event has 16 bytes, and these are 3"):
        ring.decode("event", bytes(3))


def test_a_run_gives_the_packet_back(ring: bpfctl.Object) -> None:
    done = ring.programs["mark"].test_run(bytes(60), repeat=2)
    assert (done.value, done.data) == (2, b"X" + bytes(59))
    with pytest.raises(SyscallError):
        ring.programs["send"].test_run(bytes(60))


@needs.SYSCALL_PROGRAM
def test_a_run_gives_the_context_back(data: Path) -> None:
    with bpfctl.open_object(data / "ring.bpf.o") as obj:
        program = obj.load(only="increment").programs["increment"]
        done = program.test_run(context=struct.pack("=Q", 41))
        assert (done.value, done.context) == (7, struct.pack("=Q", 42))


def test_a_program_runs_on_one_cpu(ring: bpfctl.Object) -> None:
    done = ring.programs["send"].test_run(context=bytes(8), cpu=0)
    assert done.value == 0
    with pytest.raises(SyscallError):
        ring.programs["send"].test_run(context=bytes(8), cpu=1 << 20)


@pytest.mark.parametrize("how", ["path", "text", "id"])
def test_a_map_that_is_there(how: str, ring: bpfctl.Object, bpffs: Path) -> None:
    last = ring.maps["last"]
    last[7] = {"number": 5, "text": "x"}
    last.pin(bpffs / "last")
    choices: dict[str, Path | str | int] = {
        "path": bpffs / "last", "text": f"{bpffs}/last", "id": last.info.id,
    }  # fmt: skip
    which = choices[how]
    with bpfctl.open_map(which) as found:
        assert dict(found.entries()) == {7: {"number": 5, "text": "x"}}
        del found[7]
        found[8] = {"number": 6}
    assert last.get(8) == {"number": 6, "text": ""}
    with pytest.raises(KeyNotFoundError):
        _ = last[7]


def test_a_map_that_is_full(ring: bpfctl.Object) -> None:
    last = ring.maps["last"]
    for key in range(4):
        last[key] = {"number": key}
    with pytest.raises(SyscallError) as raised:
        last[4] = {"number": 4}
    assert raised.value.evidence == ["the map has room for 4 entries"]


def test_a_map_that_objects_share(ring: bpfctl.Object, data: Path) -> None:
    with bpfctl.open_object(data / "ring.bpf.o") as other:
        other.load(only="send", reuse={"events": ring.maps["events"]})
        send(other, 1)
        assert other.maps["events"].info.id == ring.maps["events"].info.id
    assert len(list(ring.maps["events"].records(0))) == 1
    with (
        bpfctl.open_object(data / "ring.bpf.o") as another,
        pytest.raises(UsageError, match="map that is open cannot stand in for last"),
    ):
        another.load(reuse={"last": ring.maps["events"]})


def test_a_map_that_is_not_there(bpffs: Path) -> None:
    for which in (f"{bpffs}/none", 4294967295):
        with pytest.raises(NotFoundError):
            bpfctl.open_map(which)


@pytest.mark.parametrize("has_links", [True, False], ids=["as it is", "without links"])
def test_a_trace_event_also_without_links(
    has_links: bool, data: Path, bpffs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before Linux 5.15 a perf event is attached to, and lasts as long as its descriptor."""

    def refuse(*_: object) -> None:
        raise NotSupportedError("such links", "5.15", code=LINK_LACKING)

    if not has_links:
        monkeypatch.setattr(attach, "create_links", refuse)
    with bpfctl.open_object(str(data / "tracepoint.bpf.o")) as obj:
        (link,) = obj.load().attach()
        subprocess.run(["true"], check=True)
        seen = obj.globals["seen"]
        assert seen >= 1
        if link.fds:
            link.pin(f"{bpffs}/link")
            assert repr(link) == f"<link at descriptors {link.fd.fileno()}>"
        else:
            with pytest.raises(NotSupportedError):
                link.pin(f"{bpffs}/link")
            assert repr(link) == "<attached without a link>"
            link.close()
            seen = obj.globals["seen"]
            subprocess.run(["true"], check=True)
            assert obj.globals["seen"] == seen
        assert has_links or not link.fds


def test_what_things_are_called(ring: bpfctl.Object) -> None:
    last, send = ring.maps["last"], ring.programs["send"]
    assert repr(last) == f"<hash map {last.info.id} last>"
    assert repr(send) == "<program send of section 'raw_tp'>"
    assert repr(ring) == f"<object {ring.spec.path} of 3 programs, loaded>"
