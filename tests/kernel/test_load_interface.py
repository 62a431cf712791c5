"""`prog load --interface`: by links, or by filters of tc where the kernel has no tcx; `unload`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bpfctl
from bpfctl.errors import NotSupportedError
from bpfctl.kernel.uapi import AttachType
from bpfctl.loader import attach
from bpfctl.objects import attach_several
from bpfctl.objects.attach_net_targets import Filter
from bpfctl.objects.attach_probe_targets import Kprobe
from bpfctl.objects.attach_targets import Tcx
from bpfctl.objects.cgroup import attached
from bpfctl.objects.prog import programs
from tests.cli.runner import Done, in_process
from tests.kernel import needs
from tests.kernel.places import inside
from tests.kernel.test_net import EMPTY, has_clsact, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kernel.conftest import NetNs

DATA = Path(__file__).parent.parent / "data"
IN = AttachType.TCX_INGRESS


@pytest.fixture
def here(netns: NetNs) -> Iterator[NetNs]:
    """Be in a network namespace of our own."""
    with inside(netns):
        yield netns


@pytest.fixture
def no_tcx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the kernel one from before 6.6, as far as links go."""
    real = attach_several.create_links

    def create_links(fd: Any, prog: Any, target: Any, maps: Any = ()) -> Any:
        if isinstance(target, Tcx):
            raise NotSupportedError("tcx links", "6.6", code="link-kind-unsupported")
        return real(fd, prog, target, maps)

    monkeypatch.setattr(attach, "create_links", create_links)


def loadall(place: Path, name: str, *words: str) -> Done:
    obj = str(DATA / f"{name}.bpf.o")
    return in_process("-j", "prog", "loadall", obj, f"{place}/all", *words)


def made(place: Path, name: str, *words: str) -> Any:
    done = loadall(place, name, *words, "--interface", "va0")
    assert done.status == 0, done.out
    return {one["name"]: one for one in done.json["programs"]}


def kinds(section: str = "tc") -> list[tuple[str, int]]:
    return [(one["kind"], one.get("id") or one["prog_id"]) for one in shown()[section]]


@needs.TCX
def test_links_of_both_sides(bpffs: Path, here: NetNs) -> None:
    told = made(bpffs, "tcx_pass")
    assert [told[name]["link"]["pinned"] for name in ("pass_in", "pass_out")] == [
        f"{bpffs}/all/pass_in",
        f"{bpffs}/all/pass_out",
    ]
    assert kinds() == [
        ("tcx/ingress", told["pass_in"]["id"]),
        ("tcx/egress", told["pass_out"]["id"]),
    ]
    assert all(one["link_id"] for one in shown()["tc"])
    assert in_process("prog", "unload", f"{bpffs}/all") == Done(0, "", "")
    assert shown() == EMPTY


def test_xdp(bpffs: Path, here: NetNs) -> None:
    told = made(bpffs, "xdp_pass")
    (entry,) = shown()["xdp"]
    assert (entry["id"], entry["mode"]) == (told["pass"]["id"], "driver")
    assert entry["link_id"] == told["pass"]["link"]["id"]


def test_filters_where_there_is_no_tcx(bpffs: Path, here: NetNs, no_tcx: None) -> None:
    """They stay, and `unload` takes them away, and the clsact that was made for them."""
    told = made(bpffs, "tcx_pass")
    assert [told[name]["attached_to"] for name in ("pass_in", "pass_out")] == [
        "va0 (tc ingress)",
        "va0 (tc egress)",
    ]
    assert told["pass_in"]["pinned"] == f"{bpffs}/all/pass_in"
    ids = [told["pass_in"]["id"], told["pass_out"]["id"]]
    assert kinds() == [("clsact/ingress", ids[0]), ("clsact/egress", ids[1])]
    done = in_process("-j", "prog", "unload", f"{bpffs}/all")
    assert (done.status, done.json["left"]) == (0, [])
    assert done.json["detached"] == ["va0 ingress, filter of tc", "va0 egress, filter of tc"]
    assert not set(ids) & {one.id for one in programs()}
    assert shown() == EMPTY


@pytest.mark.shared
def test_a_clsact_that_was_there_stays(bpffs: Path, here: NetNs, no_tcx: None) -> None:
    here.run("tc", "qdisc", "add", "dev", "va0", "clsact")
    made(bpffs, "tcx_pass")
    assert in_process("prog", "unload", f"{bpffs}/all").status == 0
    assert shown() == EMPTY
    assert has_clsact(here)


@pytest.mark.shared
@pytest.mark.parametrize("lacking", [False, True], ids=["as-it-is", "no-tcx"])
def test_nothing_stays_where_something_fails(
    lacking: bool, bpffs: Path, here: NetNs, request: pytest.FixtureRequest
) -> None:
    """Links and filters go again when what follows them fails: here the pins."""
    if lacking:
        request.getfixturevalue("no_tcx")
    (bpffs / "all").mkdir()
    assert (
        in_process("prog", "load", str(DATA / "xdp_pass.bpf.o"), f"{bpffs}/all/pass_out").status
        == 0
    )
    done = loadall(bpffs, "tcx_pass", "--interface", "va0")
    assert (done.status, done.json["error"]["code"]) == (1, "pin-exists")
    assert shown() == EMPTY
    assert not has_clsact(here)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "words", "status", "code"),
    [
        pytest.param("tcx_pass", "va9", 3, "no-such-interface", id="interface"),
        pytest.param("raw_tp", "va0", 2, "no-program-for-place", id="nothing-for-it"),
    ],
)
def test_refusals(name: str, words: str, status: int, code: str, bpffs: Path, here: NetNs) -> None:
    done = loadall(bpffs, name, "--interface", words)
    assert (done.status, done.json["error"]["code"]) == (status, code)
    assert not (bpffs / "all").exists()


def test_a_cgroup_and_an_interface(bpffs: Path, cgroup: Path, here: NetNs) -> None:
    """Each program goes to the place of its kind, and what has no place is pinned."""
    words = ("--only", "on_egress", "--only", "on_packet", "--cgroup", str(cgroup))
    done = loadall(bpffs, "network", *words)
    assert done.status == 0, done.out
    assert done.err.splitlines()[1:] == [
        'bpfctl: program on_packet is pinned only: section "tc" does not say what to attach to'
    ]
    told = {one["name"]: one for one in done.json["programs"]}
    number = told["on_egress"]["id"]
    assert attached(str(cgroup), AttachType.CGROUP_INET_EGRESS).prog_ids == (number,)
    assert told["on_egress"]["link"]["pinned"] == f"{bpffs}/all/on_egress"
    assert in_process("prog", "unload", f"{bpffs}/all").status == 0
    assert attached(str(cgroup), AttachType.CGROUP_INET_EGRESS).prog_ids == ()
    nothing = loadall(bpffs, "xdp_pass", "--cgroup", str(cgroup))
    assert (nothing.status, nothing.json["error"]["code"]) == (2, "no-program-for-place")
    lost = loadall(bpffs, "network", *words[:-1], f"{cgroup}/none")
    assert (lost.status, lost.json["error"]["code"]) == (1, "no-cgroup")
    assert not (bpffs / "all").exists()


@pytest.mark.shared
def test_a_section_that_names_no_side(bpffs: Path, here: NetNs) -> None:
    words = ("--only", "on_packet", "--only", "on_egress")
    error = loadall(bpffs, "network", *words, "--interface", "va0").json["error"]
    assert error["code"] == "no-program-for-place"


def test_what_somebody_else_attached_is_told(bpffs: Path, here: NetNs) -> None:
    """It is not what the load made, so it stays, and the program with it."""
    assert in_process("prog", "load", str(DATA / "tcx_pass.bpf.o"), f"{bpffs}/p").status == 0
    assert in_process("net", "attach", "tc_ingress", f"{bpffs}/p", "dev", "va0").status == 0
    done = in_process("-j", "prog", "unload", "pass_in")
    (left,) = done.json["left"]
    index = int(here.run("cat", "/sys/class/net/va0/ifindex"))
    assert left["places"] == [f"va0 ingress (ifindex {index}, tc filter)"]
    assert done.json["detached"] == []
    assert [kind for kind, _ in kinds()] == ["clsact/ingress"]
    assert in_process("net", "detach", "tc_ingress", "dev", "va0").status == 0


# --- from Python ----------------------------------------------------------------------------------


@pytest.mark.parametrize("by_target", [True, False], ids=["filter", "tcx"])
def test_a_filter_from_python(by_target: bool, here: NetNs, no_tcx: None) -> None:
    with bpfctl.open_object(str(DATA / "tcx_pass.bpf.o")) as obj:
        obj.load(only=["pass_in"])
        target = Filter("va0", IN) if by_target else Tcx("va0", IN)
        link = obj.programs["pass_in"].attach(target)
        assert kinds() == [("clsact/ingress", obj.programs["pass_in"].info.id)]
        for refused in (lambda: link.fd, lambda: link.pin("/nowhere")):
            with pytest.raises(NotSupportedError) as caught:
                refused()
            assert caught.value.code == "link-kind-unsupported"
        link.close()
        assert shown() == EMPTY
        link.close()
        obj.programs["pass_in"].attach(target)
        assert len(kinds()) == 1
    assert shown() == EMPTY  # it goes with the object
    assert not has_clsact(here)


@needs.KPROBE
def test_kprobes_from_python_on_each_kernel() -> None:
    """Before Linux 5.15 there are no links to perf events."""
    with bpfctl.open_object(str(DATA / "probes.bpf.o")) as obj:
        obj.load(only=["on_kprobe"])
        with obj.programs["on_kprobe"].attach(Kprobe("vfs_unlink")) as link:
            assert bool(link.fds) == bool(needs.verdicts()["link perf_event"].available)
