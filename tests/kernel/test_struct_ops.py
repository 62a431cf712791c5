"""Congestion controls of our own: loaded, registered, used by a socket, and taken out again."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.errors import NotFoundError
from bpfctl.kernel.info import map_info, prog_info
from bpfctl.kernel.uapi import MapType, ProgType
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.loader.struct_ops_load import register
from bpfctl.objects.map import maps
from bpfctl.objects.struct_ops import unregister
from tests.cli.runner import Done, in_process
from tests.kernel import needs
from tests.kernel.test_externs import number, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [needs.STRUCT_OPS]

HALF, LINKED = "bpfctl_half", "bpfctl_linked"


def gone(name: str) -> bool:
    """Whether no socket can use it any more, within ten seconds: the kernel ends links later."""
    for _ in range(500):
        if not available(name):
            return True
        time.sleep(0.02)
    return False


def available(name: str) -> bool:
    """Whether a socket can use a congestion control of that name."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        try:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
        except OSError:
            return False
    return True


def registered() -> list[str]:
    return [one.name for one in maps() if one.type == MapType.STRUCT_OPS]


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """Take out what a failed test left registered."""
    yield
    for name in registered():
        if name == HALF:
            in_process("struct_ops", "unregister", "name", name)
    assert gone(HALF)
    assert gone(LINKED)


def test_a_load_makes_maps_and_programs(data: Path) -> None:
    with load(read_object(str(data / "struct_ops.bpf.o"))) as loaded:
        assert list(loaded.programs) == ["half_ssthresh", "half_cong_avoid", "half_undo_cwnd"]
        assert [n for n, one in loaded.maps.items() if one.spec.struct_ops] == [HALF]
        info = map_info(loaded.maps[HALF].fd)
        assert (info.number("type"), info.number("max_entries")) == (MapType.STRUCT_OPS, 1)
        assert info.number("btf_vmlinux_value_type_id")
        types = {prog_info(one.fd).number("type") for one in loaded.programs.values()}
        assert types == {ProgType.STRUCT_OPS}
    assert gone(HALF)


def test_what_the_kernel_has_no_place_for_cannot_be_asked_for(data: Path) -> None:
    spec = read_object(str(data / "struct_ops.bpf.o"))
    with pytest.raises(NotFoundError, match="has no such member"):
        load(spec, LoadOptions(programs=frozenset({"not_there"})))
    with pytest.raises(NotFoundError, match="bpfctl_later is not made by itself"):
        load(spec, LoadOptions(programs=frozenset({"later_ssthresh"})))


def test_a_socket_calls_the_programs(data: Path) -> None:
    with load(read_object(str(data / "struct_ops.bpf.o"))) as loaded:
        made = register(loaded, HALF)
        assert (made.kernel_struct, made.link) == ("tcp_congestion_ops", None)
        assert available(HALF)
        _use_a_connection(HALF)
        assert number(variables(loaded)["calls"]) > 0
        unregister(made.map)
        assert gone(HALF)


def _use_a_connection(name: str) -> None:
    """Connect two sockets and send a byte, whose acknowledgement may widen the window."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
        one.connect(server.getsockname())
        peer, _ = server.accept()
        with peer:
            one.sendall(b"x")
            assert peer.recv(1) == b"x"


# --- commands


def test_registering_without_a_link(data: Path, bpftool: Callable[..., Any]) -> None:
    done = in_process("struct_ops", "register", str(data / "struct_ops.bpf.o"))
    assert (done.status, done.out) == (0, "")
    (ours,) = in_process("-j", "struct_ops", "show", "name", HALF).json
    assert done.err == f"registered tcp_congestion_ops {HALF} id {ours['id']}\n"
    assert available(HALF)
    theirs = bpftool("struct_ops", "show", "name", HALF)
    assert theirs == [ours]
    table = in_process("struct_ops", "show", "name", HALF).out.split("\n")
    assert table[1].split() == [str(ours["id"]), HALF, "tcp_congestion_ops", "no"]
    done = in_process("struct_ops", "unregister", "id", str(ours["id"]))
    assert (done.status, done.out) == (0, "")
    assert done.err == f"unregistered tcp_congestion_ops {HALF} id {ours['id']}\n"
    assert gone(HALF)


def test_a_dump_is_bpftools(data: Path, bpftool: Callable[..., Any]) -> None:
    in_process("struct_ops", "register", str(data / "struct_ops.bpf.o"))
    ours = in_process("-j", "struct_ops", "dump", "name", HALF).json
    assert ours == bpftool("struct_ops", "dump", "name", HALF)
    assert json.loads(in_process("struct_ops", "dump", "name", HALF).out) == ours


def test_registering_twice_fails(data: Path) -> None:
    path = str(data / "struct_ops.bpf.o")
    assert in_process("struct_ops", "register", path).status == 0
    done = in_process("struct_ops", "register", path)
    assert done.status == 1
    assert "a tcp_congestion_ops of the same name is registered already" in done.err
    assert registered().count(HALF) == 1


@needs.STRUCT_OPS_LINK
def test_a_link_holds_the_registration(data: Path, bpffs: Path) -> None:
    path, links = str(data / "struct_ops_link.bpf.o"), bpffs / "links"
    done = in_process("struct_ops", "register", path, str(links))
    assert done.status == 0
    assert done.err.endswith(f" pinned {links}/{LINKED}\n")
    assert available(LINKED)
    refused = in_process("struct_ops", "unregister", "name", LINKED)
    assert (refused.status, "registered by a link" in refused.err) == (1, True)
    (links / LINKED).unlink()
    assert gone(LINKED)


@needs.STRUCT_OPS_LINK
def test_attached_with_all_of_an_object(data: Path, bpffs: Path) -> None:
    """Its programs are members of the struct: that they have no links is no news."""
    path, words = str(data / "struct_ops_link.bpf.o"), ("prog", "loadall")
    assert in_process(*words, path, f"{bpffs}/all", "--attach") == Done(0, "", "")
    assert available(LINKED)
    again = in_process("-j", *words, path, f"{bpffs}/again", "--attach").json["error"]
    assert again["object"] == path
    (bpffs / "all" / LINKED).unlink()
    assert gone(LINKED)


@needs.STRUCT_OPS_LINK
def test_a_link_that_cannot_be_pinned_goes(data: Path, bpffs: Path) -> None:
    path = str(data / "struct_ops_link.bpf.o")
    (bpffs / LINKED).mkdir()
    done = in_process("struct_ops", "register", path, str(bpffs))
    assert done.status != 0
    assert gone(LINKED)


def test_a_link_wants_a_place(data: Path) -> None:
    done = in_process("-j", "struct_ops", "register", str(data / "struct_ops_link.bpf.o"))
    assert (done.status, done.json["error"]["code"]) == (2, "link-directory-missing")


def test_an_object_without_struct_ops(data: Path) -> None:
    done = in_process("-j", "struct_ops", "register", str(data / "core.bpf.o"))
    assert (done.status, done.json["error"]["code"]) == (3, "no-struct-ops")


def test_another_map_is_no_struct_ops(data: Path) -> None:
    with load(read_object(str(data / "map_kinds.bpf.o"))) as loaded:
        map_id = map_info(loaded.maps["ring"].fd).number("id")
        done = in_process("struct_ops", "dump", "id", str(map_id))
    assert (done.status, "ring is no struct_ops, but of type ringbuf" in done.err) == (3, True)
