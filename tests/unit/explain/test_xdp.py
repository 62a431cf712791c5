"""What is made of a refused XDP link where the kernel gives little to go by."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.explain import xdp
from bpfctl.explain.failure import Failure
from bpfctl.kernel.netlink import Interface, XdpAttachment, XdpMode
from bpfctl.kernel.netlink_xdp import XdpFeatures
from bpfctl.kernel.uapi import LinkType, ProgType
from bpfctl.objects import link_kinds as kinds
from bpfctl.objects.attach_targets import Xdp
from bpfctl.objects.link import LinkInfo
from bpfctl.plain import replace
from tests.unit.objects.records import prog

CARD = Interface(3, "eth7", "", 1500, is_up=True, has_carrier=True)
PAIR = Interface(4, "va0", "veth", 1500, is_up=True, has_carrier=True, peer=9)
ALL = XdpFeatures.BASIC | XdpFeatures.RX_SG


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that explains a refusal on a machine with one interface."""

    def explained(number: int, device: Interface, mode: str | None = None, **more: Any) -> Any:
        failure = Failure(SyscallError(number, "BPF_LINK_CREATE", "attach"))
        failure.error.knowing(Xdp(device.name, mode), *more.get("facts", ()))
        monkeypatch.setattr(xdp, "interfaces", lambda: more.get("there", [device]))
        monkeypatch.setattr(xdp, "xdp_features", lambda index: more.get("features"))
        monkeypatch.setattr(xdp, "links", lambda: more.get("links", []))
        monkeypatch.setattr(xdp, "_name", lambda number: "guard")
        monkeypatch.setattr(xdp, "_keepers", lambda link: iter(()))
        return xdp.refused(failure), failure

    return explained


def test_other_targets_and_interfaces(ask: Any) -> None:
    assert xdp.refused(Failure(SyscallError(16, "BPF_LINK_CREATE", "attach"))) is None
    assert ask(errno.EBUSY, CARD, there=[])[0] is None
    assert ask(errno.EBUSY, CARD)[0] is None  # nobody is there: something else is busy
    assert ask(errno.EOPNOTSUPP, CARD)[0] is None  # no mode was asked for


@pytest.mark.parametrize(
    ("mode", "features", "code"),
    [
        pytest.param("driver", XdpFeatures(0), "xdp-mode", id="none"),
        pytest.param("offload", ALL, "xdp-mode", id="no-offload"),
        pytest.param("driver", ALL, None, id="it-can"),
        pytest.param("driver", None, None, id="not-told"),
        pytest.param("generic", XdpFeatures(0), None, id="generic"),
    ],
)
def test_modes(mode: str, features: XdpFeatures | None, code: str | None, ask: Any) -> None:
    found, failure = ask(errno.EOPNOTSUPP, CARD, mode, features=features)
    assert (found.code if found else None) == code
    if features == ALL and mode == "driver":
        assert failure.evidence == ["the driver of eth7 lists: basic, rx-sg"]
    if features is None:
        assert failure.candidates == ["the driver of eth7 has no driver mode"]


def test_a_peer_elsewhere(ask: Any) -> None:
    found, _ = ask(errno.ERANGE, PAIR, "driver")
    assert found.code == "xdp-mtu"
    assert found.headline.startswith("the MTU of the other side of va0 is too large")
    assert found.remedy.startswith("lower the MTU of the other side of va0; or load it")
    assert ask(errno.ERANGE, CARD, "driver")[0] is None


def test_einval_has_candidates_only(ask: Any) -> None:
    bound = prog(ProgType.XDP, ifindex=5)
    large = replace(CARD, mtu=9000)
    found, failure = ask(errno.EINVAL, large, "driver", facts=(bound,))
    assert found is None
    assert failure.evidence == ["the program is bound to the interface of index 5"]
    assert [one.partition(" (")[0] for one in failure.candidates] == [
        "the program was loaded for a devmap or cpumap",
        "the MTU of eth7",
    ]


def test_a_link_elsewhere_is_not_taken_for_it(ask: Any) -> None:
    """The same program by a link on another interface does not hold this one."""
    there = replace(CARD, xdp=(XdpAttachment(3, "eth7", XdpMode.DRIVER, 44),))
    other = LinkInfo(7, LinkType.XDP, 44, kinds.Device(8))
    mine = LinkInfo(6, LinkType.XDP, 44, kinds.Device(3))
    by_netlink, _ = ask(errno.EBUSY, there, links=[other])
    by_link, _ = ask(errno.EBUSY, there, links=[other, mine])
    assert "no link holds it" in by_netlink.evidence[0]
    assert by_netlink.remedy.endswith("bpfctl net detach xdpdrv dev eth7")
    assert by_link.evidence == ("program 44 guard in driver mode, by link 6",)
    assert by_link.remedy.endswith("bpfctl link detach id 6")
