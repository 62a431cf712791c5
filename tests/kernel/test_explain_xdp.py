"""XDP links that are refused, on interfaces of our own: who is there, the driver, the MTU."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import BpfctlError
from bpfctl.explain.engine import explain
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.objects.attach import create_link
from bpfctl.objects.attach_targets import Xdp
from bpfctl.objects.link import link_info
from bpfctl.objects.pin import pin
from bpfctl.objects.prog import prog_info
from tests.cli.runner import in_process
from tests.kernel import needs
from tests.kernel.places import inside
from tests.kernel.powers import named, run_with
from tests.kernel.small import RETURN_2, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.kernel.fd import Fd
    from tests.kernel.conftest import NetNs

DATA = Path(__file__).parent.parent / "data"
pytestmark = pytest.mark.usefixtures("locked_memory")


@pytest.fixture
def here(netns: NetNs) -> Iterator[NetNs]:
    """Be in a network namespace of our own."""
    with inside(netns):
        yield netns


@pytest.fixture
def prog() -> Iterator[Fd]:
    with load(ProgType.XDP, code=RETURN_2, expected_attach_type=AttachType.XDP) as loaded:
        yield loaded


def refusal(prog: Fd, target: Xdp) -> BpfctlError:
    """Ask for a link that is refused, and return the error with its cause."""
    with pytest.raises(BpfctlError) as caught:
        create_link(prog, prog_info(prog), target).close()
    return explain(caught.value)


@pytest.mark.explains("xdp-busy")
def test_a_link_is_there(here: NetNs, prog: Fd, bpffs: Path) -> None:
    number = prog_info(prog).id
    with create_link(prog, prog_info(prog), Xdp(here.device)) as link:
        pin(link, str(bpffs / "l"))
        link_id = link_info(link).id
        found = refusal(prog, Xdp(here.device))
        mixed = refusal(prog, Xdp(here.device, "generic"))
    assert found.code == "xdp-busy"
    assert found.message == f"va0 runs an XDP program already: {number} core_test"
    assert found.evidence == [
        f"program {number} core_test in driver mode, by link {link_id}",
        f"link {link_id} is pinned at {bpffs}/l",
    ]
    assert found.remedy == (
        f"an interface runs one: detach that one first: bpfctl link detach id {link_id}"
    )
    assert mixed.code == "xdp-modes-mixed"


@pytest.mark.explains("xdp-modes-mixed")
def test_netlink_put_one_there(here: NetNs, prog: Fd, bpffs: Path) -> None:
    pin(prog, str(bpffs / "p"))
    words = ["ip", "link", "set", "dev", here.device, "xdpgeneric"]
    subprocess.run([*words, "pinned", str(bpffs / "p")], check=True)
    number = prog_info(prog).id
    busy = refusal(prog, Xdp(here.device, "generic"))
    mixed = refusal(prog, Xdp(here.device, "driver"))
    there = f"program {number} core_test in generic mode, attached by netlink, as ip link does: no"
    assert (busy.code, busy.evidence) == ("xdp-busy", [f"{there} link holds it"])
    assert (busy.remedy or "").endswith("bpfctl net detach xdpgeneric dev va0")
    assert (mixed.code, mixed.evidence) == ("xdp-modes-mixed", [f"{there} link holds it"])
    assert mixed.message == "va0 runs a program in generic mode, and takes none in another"
    assert mixed.remedy == "detach that one first: bpfctl net detach xdpgeneric dev va0"
    remedy = (mixed.remedy or "").partition(": bpfctl ")[2]
    assert in_process(*remedy.split()).status == 0
    create_link(prog, prog_info(prog), Xdp(here.device, "driver")).close()


def test_who_may_not_list_links_is_told_so(netns: NetNs, bpffs: Path) -> None:
    """That there is no link is not claimed then."""
    words = ["prog", "load", str(DATA / "xdp_pass.bpf.o"), str(bpffs / "p")]
    assert in_process(*words).status == 0
    with inside(netns):
        busy = ["link", "create", str(bpffs / "p"), "xdp", "dev", netns.device, "--pin"]
        assert in_process(*busy, str(bpffs / "l")).status == 0
    held = named(["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"])
    error = run_with(held, [*busy, str(bpffs / "m")], netns).error
    assert error["code"] == "xdp-busy"
    assert error["evidence"][0].endswith(
        "in driver mode; it takes CAP_SYS_ADMIN to tell whether a link holds it there"
    )
    assert error["remedy"].endswith("see bpfctl link show, as root")


@pytest.mark.explains("xdp-mode")
@needs.XDP_FEATURES
def test_no_driver_mode(here: NetNs, prog: Fd) -> None:
    found = refusal(prog, Xdp("lo", "driver"))
    assert (found.code, found.message) == ("xdp-mode", "the driver of lo has no driver mode")
    assert found.evidence == ["XDP features of lo that the kernel lists: none"]
    assert found.remedy == "use generic mode, which needs nothing of the driver and is slower"


def test_no_driver_mode_on_any_kernel(here: NetNs, prog: Fd) -> None:
    """Where the kernel does not tell what drivers can do, it is a candidate."""
    found = refusal(prog, Xdp("lo", "driver"))
    assert found.message == "the driver of lo has no driver mode" or found.candidates == [
        "the driver of lo has no driver mode"
    ]
    assert "generic mode" in (found.remedy or "")


@pytest.mark.explains("xdp-mtu")
def test_the_mtu_of_the_other_side(here: NetNs, prog: Fd) -> None:
    here.run("ip", "link", "set", here.peer, "mtu", "9000")
    found = refusal(prog, Xdp(here.device, "driver"))
    assert found.code == "xdp-mtu"
    assert found.message == (
        "the MTU of va1 (9000) is too large for an XDP program without fragments"
    )
    assert (found.remedy or "").startswith("ip link set va1 mtu 1500; or load it as")
    here.run("ip", "link", "set", here.peer, "mtu", "1500")
    create_link(prog, prog_info(prog), Xdp(here.device, "driver")).close()


@pytest.mark.explains("no-such-interface")
def test_no_interface(here: NetNs, prog: Fd) -> None:
    found = refusal(prog, Xdp("va9"))
    assert (found.code, found.message) == (
        "no-such-interface", "there is no interface va9 in this network namespace",
    )  # fmt: skip
    assert found.evidence[0].startswith("interfaces here: lo")
    assert "va0" in found.evidence[0]


def test_a_program_for_a_devmap(here: NetNs) -> None:
    kind = AttachType.XDP_DEVMAP
    with load(ProgType.XDP, code=RETURN_2, expected_attach_type=kind) as prog:
        found = refusal(prog, Xdp(here.device))
    assert found.candidates == [
        "the program was loaded for a devmap or cpumap (sections xdp/devmap and xdp/cpumap)"
    ]


def test_an_interface_that_is_down_is_warned_of(here: NetNs, prog: Fd, bpffs: Path) -> None:
    here.run("ip", "link", "set", here.device, "down")
    number = str(prog_info(prog).id)
    words = ["link", "create", number, "xdp", "dev", here.device, "--pin"]
    done = in_process(*words, str(bpffs / "l"))
    assert done.status == 0
    assert done.err.splitlines() == [
        "bpfctl: warning: va0 is down: nothing runs there until it is up",
        "  remedy     ip link set va0 up",
    ]
    (bpffs / "l").unlink()
    here.run("ip", "link", "set", here.device, "up")
    assert in_process(*words, str(bpffs / "m")).err == ""
