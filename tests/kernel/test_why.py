"""`why` on real kernels: each answer is provoked, by a program of our own at a place of our own."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.explain.why import why
from bpfctl.features.prober import Prober
from bpfctl.kernel.attr_link import prog_attach, prog_detach
from bpfctl.kernel.attr_map import map_create, map_elem
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.uapi import AttachType, Cmd, MapType, ProgType
from bpfctl.objects import attach_targets as targets
from bpfctl.objects.attach import create_link
from bpfctl.objects.attach_held import held
from bpfctl.objects.prog import prog_info
from tests.cli.runner import in_process
from tests.kernel import needs
from tests.kernel.places import inside
from tests.kernel.small import RETURN_0, RETURN_2, load

if TYPE_CHECKING:
    from bpfctl.explain.why import Why
    from bpfctl.kernel.fd import Fd
    from tests.kernel.conftest import NetNs

pytestmark = pytest.mark.usefixtures("locked_memory")
RETURN_1 = bytes.fromhex("b7000000010000009500000000000000")
DATA = Path(__file__).parent.parent / "data"
SHORT = 0.01
TRACE_EVENT = targets.Tracepoint("sched", "sched_process_exec")
EXECS = 3


def link(prog: Fd, target: targets.Target) -> Fd:
    return create_link(prog, prog_info(prog), target)


def asked(prog: Fd) -> Why:
    return why(prog, SHORT)


def xdp() -> Fd:
    return load(ProgType.XDP, code=RETURN_2, expected_attach_type=AttachType.XDP)


def egress() -> Fd:
    kind = AttachType.CGROUP_INET_EGRESS
    return load(ProgType.CGROUP_SKB, code=RETURN_1, expected_attach_type=kind)


@pytest.mark.explains("not-attached")
def test_not_attached() -> None:
    with load(ProgType.RAW_TRACEPOINT, code=RETURN_0) as prog:
        answer = asked(prog)
    assert (answer.code, answer.places, answer.candidates) == ("not-attached", (), ())
    assert answer.headline == "loaded, and not attached: nothing runs it"
    assert answer.evidence == ("no link runs it",)
    assert f"bpfctl link create id {answer.prog.id}" in (answer.remedy or "")


def test_what_keeps_it_is_said(bpffs: Path) -> None:
    from bpfctl.objects.pin import pin

    with load(ProgType.RAW_TRACEPOINT, code=RETURN_0) as prog:
        pin(prog, str(bpffs / "p"))
        assert f"pinned at {bpffs / 'p'}" in asked(prog).evidence


@pytest.mark.explains("no-attachment-seen")
def test_a_socket_is_not_seen() -> None:
    with load(ProgType.SOCKET_FILTER) as prog:
        answer = asked(prog)
    assert answer.code == "no-attachment-seen"
    assert answer.headline == "loaded, and not attached as far as can be seen"
    assert answer.candidates == ("on a socket (setsockopt SO_ATTACH_BPF)",)


@pytest.mark.explains("runs-on-demand")
@needs.SYSCALL_PROGRAM
def test_on_demand() -> None:
    with load(ProgType.SYSCALL, code=RETURN_0, prog_flags=1 << 4) as prog:
        answer = asked(prog)
    assert answer.code == "runs-on-demand"
    assert "they run on demand" in answer.headline


@pytest.mark.explains("program-not-hit")
def test_not_hit() -> None:
    """No processor comes or goes meanwhile."""
    target = targets.RawTracepoint("cpuhp_enter")
    with load(ProgType.RAW_TRACEPOINT, code=RETURN_0) as prog, link(prog, target):
        answer = asked(prog)
    assert answer.code == "program-not-hit"
    assert answer.headline == "attached, and not hit: no run in the 0.01 s it was counted"
    assert answer.candidates == ("what it waits for does not happen (cpuhp_enter)",)
    assert answer.evidence[-1].startswith("none was counted earlier either, which says nothing")
    assert answer.counts is not None
    assert (answer.counts.runs, answer.counts.before) == (0, 0)


def executing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Execute something while runs are counted."""

    def work(seconds: float) -> None:
        for _ in range(EXECS):
            subprocess.run(["true"], check=True)

    monkeypatch.setattr(time, "sleep", work)


def test_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    executing(monkeypatch)
    target = targets.RawTracepoint("sched_process_exec")
    with load(ProgType.RAW_TRACEPOINT, code=RETURN_0) as prog, link(prog, target):
        answer = asked(prog)
        again = why(prog, 0)
    assert answer.code == "program-runs"
    assert answer.counts is not None
    assert answer.counts.runs >= EXECS
    assert (again.code, again.counts) == ("runs-uncounted", None)


def test_a_perf_event_without_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    executing(monkeypatch)
    with load(ProgType.TRACEPOINT, code=RETURN_0) as prog:
        with held(prog, prog_info(prog), TRACE_EVENT):
            answer = asked(prog)
        after = asked(prog)
    assert [place.kind for place, _ in answer.places] == ["perf_event"]
    assert answer.places[0][0].words.startswith("sched_process_exec (perf event of ")
    assert answer.places[0][0].facts == {"pid": os.getpid()}
    assert (answer.code, after.code) == ("program-runs", "not-attached")


@pytest.mark.explains("runs-uncounted")
def test_behind_a_tail_call() -> None:
    table = map_create(map_type=MapType.PROG_ARRAY, key_size=4, value_size=4, max_entries=4)
    with load() as prog, bpf_fd(table) as array:
        key, value = (3).to_bytes(4, "little"), prog.fileno().to_bytes(4, "little")
        bpf(map_elem(Cmd.MAP_UPDATE_ELEM, array, key, value, 0, doing="put a program"))
        answer = asked(prog)
    assert answer.code == "runs-uncounted"
    assert [place.kind for place, _ in answer.places] == ["map"]
    assert answer.places[0][0].words.endswith(", entry 3")
    assert answer.evidence[-1] == "runs of such a program are counted for the one it is called from"


@needs.STRUCT_OPS
def test_a_function_of_a_struct(bpffs: Path) -> None:
    """A congestion control that is loaded, whoever uses it."""
    done = in_process("-j", "struct_ops", "register", str(DATA / "struct_ops.bpf.o"), str(bpffs))
    try:
        assert done.status == 0, done.out
        told = in_process("-j", "struct_ops", "dump", "name", "bpfctl_half").out
        numbers = [int(one) for one in re.findall(r"prog_id:([1-9][0-9]*)", told)]
        found = [in_process("-j", "why", str(one), "--for", "0").json for one in numbers]
        places = [one["attachments"] for one in found]
        assert len(places) > 0
        assert {one[0]["kind"] for one in places} == {"struct_ops"}
        assert "of tcp_congestion_ops, map " in places[0][0]["attached_to"]
    finally:
        in_process("struct_ops", "unregister", "name", "bpfctl_half")


@pytest.mark.explains("interface-down", "interface-no-carrier", "link-detached")
def test_an_interface(netns: NetNs) -> None:
    """Down, without carrier, up, seen from outside, and gone: one program, one link."""
    netns.run("ip", "link", "set", netns.device, "down")
    with inside(netns), xdp() as prog, link(prog, targets.Xdp(netns.device)):
        down = asked(prog)
        netns.run("ip", "link", "set", netns.device, "up")
        netns.run("ip", "link", "set", netns.peer, "down")
        silent = asked(prog)
        netns.run("ip", "link", "set", netns.peer, "up")
        quiet = why(prog, 0)
        netns.run("ip", "link", "del", netns.device)
        gone = asked(prog)
    assert (down.code, silent.code, gone.code) == (
        "interface-down", "interface-no-carrier", "link-detached",
    )  # fmt: skip
    assert down.headline == "attached, and does not run: interface va0 is down"
    assert down.remedy == "ip link set va0 up"
    assert silent.headline.endswith("interface va0 has no carrier: nothing arrives")
    assert quiet.code == "runs-uncounted"
    assert gone.headline.endswith("what the link was attached to is gone")


def test_xdp_and_tc_without_links(netns: NetNs, bpffs: Path) -> None:
    """What ip and tc attach is seen, with the interface that is down."""
    from bpfctl.objects.pin import pin

    netns.run("ip", "link", "set", netns.device, "down")
    with inside(netns), xdp() as prog, load(ProgType.SCHED_CLS, code=RETURN_0) as filtering:
        pin(prog, str(bpffs / "p"))
        words = ["ip", "link", "set", "dev", netns.device, "xdpgeneric", "pinned"]
        subprocess.run([*words, str(bpffs / "p")], check=True)
        answer = asked(prog)
        side = targets.Tcx(netns.device, AttachType.TCX_INGRESS)
        with held(filtering, prog_info(filtering), side):
            filtered = asked(filtering)
    found = {
        one.kind: (one.words, why.code) for one, why in (*answer.places, *filtered.places) if why
    }
    index = answer.places[0][0].facts["ifindex"]
    assert found == {
        "xdp": (f"va0 (ifindex {index}, generic mode)", "interface-down"),
        "tc": (f"va0 ingress (ifindex {index}, tc filter)", "interface-down"),
    }


@pytest.mark.explains("cgroup-empty")
@pytest.mark.parametrize("linked", [True, False], ids=["link", "without-link"])
def test_an_empty_cgroup(linked: bool, cgroup: Path) -> None:
    hook = AttachType.CGROUP_INET_EGRESS
    with egress() as prog:
        if linked:
            with link(prog, targets.Cgroup(str(cgroup), hook)):
                answer = asked(prog)
        else:
            number = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY)
            place: dict[str, Any] = {"attach_type": hook, "target_fd": number}
            bpf(prog_attach(prog_fd=prog, **place))
            answer = asked(prog)
            bpf(prog_detach(prog_fd=prog, **place))
            os.close(number)
    assert answer.code == "cgroup-empty"
    assert [one.kind for one, _ in answer.places] == ["link" if linked else "cgroup"]
    assert answer.places[0][0].words == f"egress on /{cgroup.name}"
    assert f"/{cgroup.name}/cgroup.events: populated 0" in answer.evidence
    assert answer.remedy == f"put the process into it: echo PID > {cgroup}/cgroup.procs"


@pytest.mark.explains("lsm-inactive")
@needs.LSM
def test_lsm_without_the_module(bpffs: Path, tmp_path: Path) -> None:
    """This kernel has it active: a list without it stands in the place of the kernel's own."""
    listing, ours = Path("/sys/kernel/security/lsm"), tmp_path / "lsm"
    ours.write_text("lockdown,yama")
    with Prober() as prober:
        target = prober.target_id(("bpf_lsm_bpf_prog",))
    words = {"expected_attach_type": AttachType.LSM_MAC, "attach_btf_id": target}
    with load(ProgType.LSM, code=RETURN_0, **words) as prog:
        number, active = prog_info(prog).id, listing.read_text()
        subprocess.run(["mount", "--bind", str(ours), str(listing)], check=True)
        try:
            made = in_process("link", "create", str(number), "lsm", "--pin", str(bpffs / "l"))
            load_words = ["prog", "load", str(DATA / "probes.bpf.o"), str(bpffs / "o")]
            loaded = in_process(*load_words, "--program", "on_lsm", "--attach")
            answer = why(prog, 0)
        finally:
            subprocess.run(["umount", str(listing)], check=True)
        truth = why(prog, 0)
    assert "bpf" in active.split(",")
    assert answer.code == "lsm-inactive"
    assert answer.headline == "attached, and does not run: bpf is not among the active LSMs"
    assert answer.remedy == "boot with lsm=lockdown,yama,bpf"
    assert "active LSMs: lockdown,yama" in answer.evidence
    assert made.status == 0
    assert made.err.startswith(
        "bpfctl: warning: program core_test will never run: bpf is not among"
    )
    assert loaded.status == 0
    assert "warning: program on_lsm will never run: bpf is not among" in loaded.err
    assert truth.code == "runs-uncounted"


def test_the_command(bpffs: Path) -> None:
    from bpfctl.objects.pin import pin

    with load(ProgType.RAW_TRACEPOINT, code=RETURN_0) as prog:
        pin(prog, str(bpffs / "p"))
        number = prog_info(prog).id
        done = in_process("why", str(bpffs / "p"), "--for", "0")
        data = in_process("-j", "why", "id", str(number)).json
    remedy = f"attach it: bpfctl link create id {number} ... --pin PATH, or load with --attach"
    assert done.status == 0
    assert done.out.splitlines() == [
        f"program {number} core_test (raw_tracepoint): loaded, and not attached: nothing runs it",
        "  evidence   no link runs it",
        f"             pinned at {bpffs}/p",
        f"  remedy     {remedy}",
        "  code       not-attached        more: bpfctl explain not-attached",
    ]
    assert (data["code"], data["id"], data["attachments"]) == ("not-attached", number, [])
