"""XDP programs on interfaces, from messages as rtnetlink sends them."""

from __future__ import annotations

import errno
import socket
import struct
from typing import TYPE_CHECKING, Self

import pytest

from bpfctl.errors import SyscallError
from bpfctl.kernel import netlink_tc
from bpfctl.kernel.netlink import Interface, XdpAttachment, XdpMode, interfaces, xdp_attachments
from bpfctl.kernel.netlink_tc import filter_programs
from bpfctl.kernel.netlink_xdp import XdpFeatures, xdp_features

if TYPE_CHECKING:
    from collections.abc import Callable

NEWLINK, ERROR, DONE, INTERRUPTED = 16, 2, 3, 0x12
IFNAME, XDP, XDP_ATTACHED, DRV, SKB, HW = 3, 43, 2, 5, 6, 7
NESTED = 0x8000


def message(kind: int, payload: bytes, sequence: int = 1, flags: int = 2) -> bytes:
    data = struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, 99) + payload
    return data + bytes(-len(data) % 4)


def attribute(kind: int, value: bytes) -> bytes:
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def interface(index: int, name: str, sequence: int = 1, flags: int = 2, **xdp: int) -> bytes:
    """One interface; `xdp` are the attributes in IFLA_XDP by the names above."""
    inner = b"".join(attribute(globals()[key], struct.pack("=I", n)) for key, n in xdp.items())
    body = struct.pack("=BxHiII", 0, 1, index, 0, 0) + attribute(IFNAME, name.encode() + b"\0")
    body += attribute(XDP | NESTED, attribute(XDP_ATTACHED, b"\1") + inner) if xdp else b""
    return message(NEWLINK, body, sequence, flags)


def done(sequence: int = 1, code: int = 0, flags: int = 2) -> bytes:
    return message(DONE, struct.pack("=i", code), sequence, flags)


class Route:
    """Stands in for a netlink socket: keeps what is sent, gives datagrams with their senders."""

    def __init__(self, *answers: bytes | tuple[bytes, int] | OSError) -> None:
        self.answers = list(answers)
        self.sent: list[bytes] = []

    def __call__(self, *words: int) -> Self:
        assert words == (socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def recvfrom(self, room: int) -> tuple[bytes, tuple[int, int]]:
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        data, sender = answer if isinstance(answer, tuple) else (answer, 0)
        assert len(data) <= room
        return data, (sender, 0)


@pytest.fixture
def route(monkeypatch: pytest.MonkeyPatch) -> Route:
    made = Route()
    monkeypatch.setattr(socket, "socket", made)
    return made


def test_programs_by_mode(route: Route) -> None:
    route.answers = [
        interface(1, "lo") + interface(2, "eth0", DRV=0),
        interface(3, "eth1", DRV=7) + interface(4, "eth2-with-a-name", SKB=8, HW=9),
        done(),
    ]
    assert xdp_attachments() == [
        XdpAttachment(3, "eth1", XdpMode.DRIVER, 7),
        XdpAttachment(4, "eth2-with-a-name", XdpMode.GENERIC, 8),
        XdpAttachment(4, "eth2-with-a-name", XdpMode.OFFLOAD, 9),
    ]
    (request,) = route.sent
    # A dump of RTM_GETLINK, with IFLA_EXT_MASK: no statistics.
    assert request.hex() == (
        "280000001200010301000000000000000000000000000000000000000000000008001d0008000000"
    )


def test_a_list_that_changed_meanwhile_is_asked_for_again(route: Route) -> None:
    route.answers = [
        interface(3, "old", DRV=7) + done(flags=INTERRUPTED),
        interface(3, "older", sequence=2, flags=INTERRUPTED, DRV=7) + done(2),
        interface(3, "new", sequence=3, DRV=8) + done(3),
    ]
    assert xdp_attachments() == [XdpAttachment(3, "new", XdpMode.DRIVER, 8)]


def test_one_that_never_rests_is_taken_as_it_is(route: Route) -> None:
    route.answers = [
        interface(3, "eth", number, DRV=number) + done(number, flags=INTERRUPTED)
        for number in range(1, 12)
    ]
    assert xdp_attachments() == [XdpAttachment(3, "eth", XdpMode.DRIVER, 10)]
    assert len(route.sent) == 10


def test_what_nobody_asked_for_is_not_heard(route: Route) -> None:
    route.answers = [
        (interface(1, "forged", DRV=66) + done(), 4711),
        interface(1, "late", sequence=9, DRV=66) + done(9),
        message(20, bytes(16)) + interface(3, "eth", DRV=7),
        done(),
    ]
    assert xdp_attachments() == [XdpAttachment(3, "eth", XdpMode.DRIVER, 7)]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(message(ERROR, struct.pack("=i", -errno.EPERM)), id="error"),
        pytest.param(done(code=-errno.EPERM), id="end of a dump that failed"),
        pytest.param(PermissionError(errno.EPERM, "no"), id="socket"),
    ],
)
def test_refusal(route: Route, answer: bytes | OSError) -> None:
    route.answers = [answer]
    with pytest.raises(SyscallError) as caught:
        xdp_attachments()
    assert (caught.value.errno, caught.value.call) == (errno.EPERM, "netlink")
    assert caught.value.doing == "list the network interfaces"


@pytest.mark.parametrize("length", [0, 3, 4, 6, 0xFFFF])
def test_lengths_that_make_no_sense_end(route: Route, length: int) -> None:
    odd = struct.pack("=HHI", length, DRV, 7)
    body = struct.pack("=BxHiII", 0, 1, 3, 0, 0) + attribute(XDP, odd)
    short = struct.pack("=IHHII", length, NEWLINK, 2, 1, 0)
    route.answers = [message(NEWLINK, body), short, b"", b"\0" * 15, done()]
    whole = [XdpAttachment(3, "", XdpMode.DRIVER, 7)]  # up to the end of what there is
    assert xdp_attachments() == (whole if length == 0xFFFF else [])


# --- interfaces ----------------------------------------------------------------------------------


def test_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    def described(index: int, flags: int, *attributes: bytes) -> bytes:
        body = struct.pack("=BxHiII", 0, 1, index, flags, 0) + b"".join(attributes)
        return message(NEWLINK, body)

    kind = attribute(18 | NESTED, attribute(1, b"veth\0"))
    xdp = attribute(XDP | NESTED, attribute(XDP_ATTACHED, b"\1") + attribute(DRV, b"\7\0\0\0"))
    name, mtu = attribute(IFNAME, b"va0\0"), attribute(4, struct.pack("=I", 1500))
    peer = attribute(5, b"\t\0\0\0")
    full = described(3, 1 << 16 | 1, name, mtu, peer, kind, xdp)
    far = described(4, 0, peer, attribute(37, b"\0\0\0\0"))  # the peer is in another namespace
    route = Route(full + far + done())
    monkeypatch.setattr(socket, "socket", route)
    assert interfaces() == [
        Interface(
            3, "va0", "veth", 1500, True, True, 9, (XdpAttachment(3, "va0", XdpMode.DRIVER, 7),)
        ),
        Interface(4, "", "", 0, False, False),
    ]


# --- filters of tc -------------------------------------------------------------------------------


def tc_filter(*options: bytes, kind: bytes = b"bpf\0") -> bytes:
    body = struct.pack("=BxHiIII", 0, 0, 3, 1, 0xFFFFFFF2, 0) + attribute(1, kind)
    return message(44, body + (attribute(2 | NESTED, b"".join(options)) if options else b""))


def test_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    route = Route(
        tc_filter()
        + tc_filter(attribute(7, b"name\0"), attribute(11, struct.pack("=I", 61)))
        + tc_filter(attribute(11, b"\1"), kind=b"u32\0")
        + done()
    )
    monkeypatch.setattr(socket, "socket", route)
    assert filter_programs(3, 0xFFFFFFF2) == [61]
    (sent,) = route.sent
    assert struct.unpack("=IHHII", sent[:16]) == (36, 46, 0x301, 1, 0)
    assert struct.unpack("=BxHiIII", sent[16:]) == (0, 0, 3, 0, 0xFFFFFFF2, 0)


def number(value: int) -> bytes:
    return struct.pack("=I", value)


def test_what_a_filter_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Actions that are programs among others, and a filter without a program of its own."""
    bpf = attribute(6, b"act\0") + attribute(9, number(62))
    bpf += attribute(2, struct.pack("=IIiii", 4, 0, 0, 2, 1))
    acts = attribute(1, attribute(1, b"gact\0") + attribute(2, attribute(9, number(1))))
    acts += attribute(2, attribute(1, b"bpf\0") + attribute(2 | NESTED, bpf))
    head = struct.pack("=BxHiIII", 0, 0, 3, 0, 0x10000, 7 << 16 | 3) + attribute(1, b"bpf\0")
    body = struct.pack("=BxHiIII", 0, 0, 3, 5, 0x10000, 7 << 16 | 3) + attribute(1, b"bpf\0")
    options = attribute(7, b"own\0") + attribute(8, number(1)) + attribute(11, number(61))
    whole = body + attribute(2 | NESTED, options + attribute(1 | NESTED, acts))
    bare = body + attribute(2 | NESTED, attribute(1 | NESTED, b""))
    answers = [message(44, part) for part in (head, whole, bare)]
    monkeypatch.setattr(socket, "socket", Route(b"".join(answers) + done()))
    assert netlink_tc.filters(3, 0x10000) == [
        netlink_tc.Filter(3, 0x10000, 7, 5, 61, "own", True, (netlink_tc.Action(62, "act", 4, 1),)),
        netlink_tc.Filter(3, 0x10000, 7, 5, 0, "", False, ()),
    ]
    monkeypatch.setattr(socket, "socket", Route(b"".join(answers) + done()))
    assert filter_programs(3, 0x10000) == [61, 62]
    monkeypatch.setattr(socket, "socket", Route(b"".join(answers) + done()))
    assert netlink_tc.priorities(3, 0x10000) == [7, 7, 7]


def test_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    options = attribute(2, attribute(9, number(62)))  # an old kernel may tell no more
    one = attribute(1 | NESTED, attribute(1, b"bpf\0") + options)
    head = struct.pack("=BxH", 0, 0)
    route = Route(message(50, head + attribute(1 | NESTED, one)) + message(50, head) + done())
    monkeypatch.setattr(socket, "socket", route)
    assert netlink_tc.actions() == [netlink_tc.Action(62, "")]
    (sent,) = route.sent
    assert struct.unpack("=IHHII", sent[:16]) == (36, 50, 0x301, 1, 0)
    assert sent[16:].hex() == "00000000" + "1000010" + "00c000100" + "080001006270660" + "0"


@pytest.mark.parametrize(
    ("ask", "kind", "request_"),
    [
        pytest.param(netlink_tc.qdiscs, 36, 38, id="disciplines"),
        pytest.param(lambda: netlink_tc.classes(0), 40, 42, id="classes"),
    ],
)
def test_what_filters_hang_on(
    ask: Callable[[], object], kind: int, request_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = struct.pack("=BxHiIII", 0, 0, 3, 0x10001, 0x10000, 0) + attribute(1, b"htb\0")
    route = Route(message(kind, body) + done())
    monkeypatch.setattr(socket, "socket", route)
    assert ask() == [netlink_tc.Class(3, "htb", 0x10001)]
    assert struct.unpack("=IHHII", route.sent[0][:16])[1] == request_


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        pytest.param(["htb", "clsact"], [0xFFFFFFF2, 0xFFFFFFF3], id="both"),
        pytest.param(["ingress"], [0xFFFFFFF2], id="one"),
        pytest.param(["htb"], [], id="none"),
    ],
)
def test_sides(kinds: list[str], expected: list[int]) -> None:
    assert netlink_tc.sides(kinds) == expected


def test_filters_that_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = message(ERROR, struct.pack("=i", -errno.EPERM))
    monkeypatch.setattr(socket, "socket", Route(refused))
    with pytest.raises(SyscallError, match="list the filters of tc: operation not permitted"):
        filter_programs(3, 0xFFFFFFF2)


# --- what drivers can do with XDP -----------------------------------------------------------------


def generic(kind: int, *attributes: bytes) -> bytes:
    return message(kind, struct.pack("=BBH", 1, 1, 0) + b"".join(attributes))


class Families(Route):
    """A socket of generic netlink."""

    def __call__(self, *words: int) -> Self:
        assert words == (socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 16)
        return self


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        pytest.param(attribute(3, struct.pack("=Q", 3)), XdpFeatures.BASIC | 2, id="some"),
        pytest.param(attribute(3, bytes(8)), XdpFeatures(0), id="none"),
        pytest.param(b"", None, id="not-told"),
    ],
)
def test_features(
    features: bytes, expected: XdpFeatures | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    families = generic(16, attribute(1, b"\x1c\0"), attribute(2, b"netdev\0"))
    other = generic(16, attribute(1, b"\x1b\0"), attribute(2, b"ethtool\0"))
    device = generic(28, attribute(1, b"\3\0\0\0"), features)
    route = Families(
        other + families + done(), generic(28, attribute(1, b"\2\0\0\0")) + device + done()
    )
    monkeypatch.setattr(socket, "socket", route)
    assert xdp_features(3) == expected
    assert [struct.unpack("=IHHII", sent[:16])[1] for sent in route.sent] == [16, 28]


def test_no_features_before_they_were_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", Families(done()))
    assert xdp_features(3) is None
