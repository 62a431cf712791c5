"""What a network device can do, on kernels that answer as a test says."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.features import device as module
from bpfctl.features.device import probe_device
from bpfctl.kernel.netlink import Interface
from bpfctl.kernel.netlink_xdp import XdpDevice, XdpFeatures
from bpfctl.kernel.uapi import Cmd, ProgType
from tests.fakes.kernel import FakeKernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfctl.features.device import DeviceReport

CARD = Interface(7, "eth7", "", 1500, is_up=True, has_carrier=True)
ALL = XdpDevice(XdpFeatures.BASIC | XdpFeatures.RX_SG, 17, 1, 2)


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DeviceReport]:
    """Return a function that probes a device of a kernel with these answers."""

    def probe(
        program: Any, made: Any = -errno.EINVAL, told: XdpDevice | None = ALL, **words: bool
    ) -> DeviceReport:
        monkeypatch.setattr(module, "xdp_device", lambda index: told)
        kernel = FakeKernel()

        def load(union: Any, size: int) -> int:
            if not union.prog_type:  # that asks for bpf(2) itself
                return -errno.EINVAL
            return int(program(union, size) if callable(program) else program)

        kernel.on(Cmd.PROG_LOAD, load)
        kernel.on(Cmd.MAP_CREATE, kernel.new_fd if made == 0 else made)
        with kernel:
            return probe_device(CARD, vmlinux="/nonexistent", **words)

    return probe


def answers(report: DeviceReport, group: str) -> dict[str, bool | None]:
    return {name: verdict.available for name, verdict in report.groups()[group].items()}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(errno.EINVAL, False, id="einval"),
        pytest.param(errno.EOPNOTSUPP, False, id="eopnotsupp"),
        pytest.param(errno.EPERM, None, id="denied"),
        pytest.param(errno.ENOMEM, None, id="other"),
    ],
)
def test_no_hardware(number: int, expected: bool | None, ask: Callable[..., DeviceReport]) -> None:
    report = ask(-number, -number, helpers=True)
    assert answers(report, "programs") == {"sched_cls": expected, "xdp": expected}
    assert answers(report, "map_types") == {"hash": expected, "array": expected}
    assert set(answers(report, "misc").values()) == {expected}
    assert answers(report, "xdp")["device_bound_programs"] is expected
    denied = {"programs xdp", "map_types hash", "misc bounded_loops"}
    assert denied <= set(report.denied()) or number != errno.EPERM
    told = report.to_json()["helpers"]
    assert told == dict.fromkeys(told, None if expected is None else [])


def test_hardware_that_takes_programs(ask: Callable[..., DeviceReport]) -> None:
    """What is asked for names the device; code and helpers are asked about there."""
    seen = []

    def load(union: Any, size: int) -> int:
        del size
        seen.append((union.prog_type, union.prog_ifindex, union.prog_flags))
        return kernel.fd()

    kernel = FakeKernel()
    report = ask(load, 0, helpers=True)
    assert answers(report, "programs") == {"sched_cls": True, "xdp": True}
    assert answers(report, "map_types") == {"hash": True, "array": True}
    assert set(answers(report, "misc").values()) == {True}
    assert {index for _, index, _ in seen} == {7}
    assert {kind for kind, _, _ in seen} == {ProgType.SCHED_CLS, ProgType.XDP}
    assert "bpf_redirect" in report.to_json()["helpers"]["xdp_available_helpers"]


def test_what_the_driver_lists(ask: Callable[..., DeviceReport]) -> None:
    found = answers(ask(-errno.EINVAL), "xdp")
    yes = ["generic_mode", "driver_mode", "fragments", "rx_timestamp", "tx_checksum"]
    assert [name for name, answer in found.items() if answer] == yes
    assert None not in found.values()


def test_what_older_kernels_do_not_list(ask: Callable[..., DeviceReport]) -> None:
    nothing = ask(-errno.EINVAL, told=None)
    found = answers(nothing, "xdp")
    known = {"generic_mode": True, "device_bound_programs": False}
    assert found == dict.fromkeys(found) | known
    assert nothing.xdp["driver_mode"].reason == "this kernel does not list what drivers can do"
    assert nothing.zerocopy_segments is None
    some = answers(ask(-errno.EINVAL, told=XdpDevice(XdpFeatures(0), 1)), "xdp")
    assert (some["driver_mode"], some["rx_hash"], some["tx_checksum"]) == (False, None, None)


def test_json(ask: Callable[..., DeviceReport]) -> None:
    fields = ask(-errno.EOPNOTSUPP, -errno.EOPNOTSUPP).to_json()
    assert fields["device"] == {
        "devname": "eth7",
        "ifindex": 7,
        "kind": "",
        "mtu": 1500,
        "up": True,
        "xdp_zc_max_segs": 17,
    }
    assert fields["program_types"] == {
        "have_sched_cls_prog_type": False,
        "have_xdp_prog_type": False,
    }
    assert fields["verdicts"]["programs"]["xdp"] == {
        "answer": "not-available",
        "reason": "the kernel answers EOPNOTSUPP: the driver takes none for its hardware",
        "errno": "EOPNOTSUPP",
        "since": "4.16",
    }
    assert "helpers" not in fields
