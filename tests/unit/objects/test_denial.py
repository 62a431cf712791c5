"""Which capability is missing, where a call is refused."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import SyscallError
from bpfctl.kernel.uapi import AttachType, Cmd, ProgType
from bpfctl.linux import caps
from bpfctl.linux.caps import Capability
from bpfctl.objects import denial
from bpfctl.objects.attach_explain import explain
from bpfctl.objects.attach_probe_targets import Kprobe, Uprobe
from bpfctl.objects.attach_targets import Cgroup
from bpfctl.objects.denial import explain_call, is_admin, name_missing
from tests.fakes.kernel import FakeKernel
from tests.unit.objects.records import prog

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Hold = Callable[[Collection[Capability]], None]


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Hold:
    def have(capabilities: Collection[Capability]) -> None:
        mask = sum(1 << one for one in capabilities)
        monkeypatch.setattr(caps, "effective_mask", lambda status: mask)
        monkeypatch.setattr(denial, "in_initial_user_namespace", lambda: True)

    return have


def refused(call: str = "BPF_OBJ_GET", number: int = errno.EPERM) -> SyscallError:
    return SyscallError(number, call, "open /pin")


def test_requests_of_netlink(hold: Hold) -> None:
    hold([Capability.BPF])
    assert explain_call(refused("netlink")).evidence == ["this process lacks CAP_NET_ADMIN"]


def test_what_is_missing_and_what_comes_next(hold: Hold) -> None:
    hold([Capability.BPF])
    err = refused()
    both = [Capability.BPF, Capability.PERFMON]
    assert name_missing(err, both, [Capability.NET_ADMIN, Capability.BPF])
    assert err.message == "open /pin: not permitted without CAP_PERFMON"
    assert err.evidence == ["this process lacks CAP_PERFMON, CAP_NET_ADMIN"]
    assert err.remedy == "run it as root, or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN"


@pytest.mark.parametrize(
    ("held", "needed", "number"),
    [
        pytest.param([Capability.PERFMON], [Capability.PERFMON], errno.EPERM, id="has it"),
        pytest.param([Capability.SYS_ADMIN], [Capability.BPF], errno.EPERM, id="has more"),
        pytest.param([], [Capability.BPF], errno.EINVAL, id="another errno"),
        pytest.param([], [], errno.EACCES, id="nothing is needed"),
    ],
)
def test_nothing_is_blamed(
    held: list[Capability], needed: list[Capability], number: int, hold: Hold
) -> None:
    hold(held)
    err = refused(number=number)
    assert not name_missing(err, needed)
    assert (err.code, err.evidence, err.remedy) == ("syscall-failed", [], None)


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        pytest.param(errno.EPERM, ["this process lacks CAP_BPF"], id="before Linux 5.19"),
        pytest.param(errno.EBADF, [], id="later"),
    ],
)
def test_kernels_that_refuse_every_call(answer: int, evidence: list[str], hold: Hold) -> None:
    hold([])
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, -answer):
        assert explain_call(refused()).evidence == evidence


def test_old_kernels_refuse_everything_in_user_namespaces_too(
    hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(list(Capability))
    monkeypatch.setattr(denial, "in_initial_user_namespace", lambda: False)
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, -errno.EPERM):
        assert explain_call(refused()).code == "capabilities-in-user-namespace"


def test_the_kernel_is_not_asked_where_the_capability_is_there(hold: Hold) -> None:
    hold([Capability.BPF])
    with FakeKernel() as kernel:
        assert explain_call(refused()).evidence == []
    assert kernel.calls == []


@pytest.mark.parametrize("initial", [True, False, None])
def test_capabilities_of_a_user_namespace_do_not_count(
    initial: bool | None, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(list(Capability))
    monkeypatch.setattr(denial, "in_initial_user_namespace", lambda: initial)
    assert is_admin() is (initial is not False)
    assert name_missing(refused(), [Capability.BPF]) is (initial is False)


def test_attaching_what_was_loaded_with_less(hold: Hold) -> None:
    hold([Capability.BPF])
    err = refused("BPF_LINK_CREATE")
    target = Cgroup("/sys/fs/cgroup/x", AttachType.CGROUP_INET_EGRESS)
    assert explain(err, prog(ProgType.CGROUP_SKB), target) is err
    assert err.evidence == ["this process lacks CAP_NET_ADMIN"]


@pytest.mark.parametrize(
    ("target", "lacking"),
    [
        pytest.param(Uprobe("/bin/true", "main"), "CAP_SYS_ADMIN", id="uprobe"),
        pytest.param(Kprobe("vfs_read"), "CAP_PERFMON", id="kprobe"),
    ],
)
def test_probes(
    target: Uprobe | Kprobe, lacking: str, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold([Capability.BPF])
    monkeypatch.setattr(denial, "perf_event_paranoid", lambda: 2)
    err = refused("perf_event_open", errno.EACCES)
    assert explain(err, prog(ProgType.KPROBE), target) is err
    assert err.evidence == [f"this process lacks {lacking}"]


@pytest.mark.parametrize(
    ("level", "evidence"),
    [
        pytest.param(2, [], id="mainline"),
        pytest.param(
            3,
            [
                "this process lacks CAP_SYS_ADMIN",
                "kernel.perf_event_paranoid is 3, where CAP_PERFMON may not do",
            ],
            id="Debian",
        ),
        pytest.param(None, [], id="unknown"),
    ],
)
def test_a_setting_that_asks_for_more(
    level: int | None, evidence: list[str], hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold([Capability.PERFMON])
    monkeypatch.setattr(denial, "perf_event_paranoid", lambda: level)
    err = refused("perf_event_open", errno.EACCES)
    assert explain(err, prog(ProgType.KPROBE), Kprobe("vfs_read")) is err
    assert err.evidence == evidence
