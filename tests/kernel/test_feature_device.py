"""`feature probe dev NAME` on each kernel: what a veth and the loopback interface can do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.runner import in_process
from tests.kernel import needs
from tests.kernel.places import inside
from tests.kernel.powers import run_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.kernel.conftest import NetNs


@pytest.fixture
def here(netns: NetNs) -> Iterator[NetNs]:
    """Be in a network namespace of our own."""
    with inside(netns):
        yield netns


def probed(*words: str) -> Any:
    done = in_process("-j", "feature", "probe", "dev", *words)
    assert done.status == 0, done.out
    return done.json


@pytest.mark.parametrize("name", ["lo", "va0"])
def test_the_same_as_bpftool(name: str, here: NetNs, tool: Callable[[str], str]) -> None:
    theirs = json.loads(here.run(tool("bpftool"), "-j", "feature", "probe", "dev", name))
    ours = probed(name)
    assert ours["device"]["devname"] == name
    for group in ("syscall_config", "program_types", "map_types", "helpers"):
        assert ours[group] == theirs[group], group
    assert theirs["misc"].items() <= ours["misc"].items()


@needs.XDP_FEATURES
def test_what_drivers_list(here: NetNs) -> None:
    pair, loop = probed("va0")["xdp"], probed("lo")["xdp"]
    assert (pair["driver_mode"], pair["redirect"], pair["fragments"]) == (True, True, True)
    assert (loop["generic_mode"], loop["driver_mode"], loop["redirect"]) == (True, False, False)
    assert pair["device_bound_programs"] is True


def test_who_may_not(here: NetNs) -> None:
    ran = run_with(frozenset(), ["feature", "probe", "dev", "va0", "--strict"], here)
    fields = json.loads(ran.written)
    assert (ran.status, fields["program_types"]["have_xdp_prog_type"]) == (4, None)
    assert fields["verdicts"]["programs"]["xdp"]["errno"] == "EPERM"


@pytest.mark.shared
def test_no_such_interface(here: NetNs) -> None:
    done = in_process("-j", "feature", "probe", "dev", "va9")
    assert (done.status, done.json["error"]["code"]) == (3, "no-such-interface")


@pytest.mark.shared
def test_screen_table_and_macros(here: NetNs) -> None:
    lines = in_process("feature", "probe", "dev", "va0").out.splitlines()
    assert lines[0].startswith("va0 (ifindex ")
    assert [line.split()[0] for line in lines if line[0] != " "] == [
        *(lines[0].split()[0], "xdp", "offload", "misc")
    ]
    rows = [line.split()[:3] for line in in_process(*_WORDS, "full").out.splitlines()]
    assert ["offload", "xdp", "no"] in rows
    assert ["xdp", "generic_mode", "yes"] in rows
    macros = in_process(*_WORDS, "macros", "prefix", "MY_").out.splitlines()
    assert {"#define MY_NO_HAVE_XDP_PROG_TYPE", "#define MY_HAVE_XDP_GENERIC_MODE"} <= set(macros)


_WORDS = ("feature", "probe", "dev", "va0")
