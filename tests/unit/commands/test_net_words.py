"""The words of `net attach` and `net detach`."""

from __future__ import annotations

import pytest
from bpfctl.commands.net_words import AttachWords, parse_attach, parse_detach, parse_device

from bpfctl.errors import UsageError
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects.attach_net_targets import Filter, Netkit, Order
from bpfctl.objects.attach_targets import Tcx, Xdp
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.select import Selector

IN, OUT = AttachType.TCX_INGRESS, AttachType.TCX_EGRESS
SEVEN = Selector(ObjectKind.PROG, "id", "7")
GUARD = Selector(ObjectKind.PROG, "name", "guard")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("xdp id 7 dev e", AttachWords(Xdp("e"), SEVEN), id="xdp"),
        pytest.param(
            "xdpgeneric 7 dev e overwrite", AttachWords(Xdp("e", "generic"), SEVEN, True), id="mode"
        ),
        pytest.param("xdpdrv 7 dev e", AttachWords(Xdp("e", "driver"), SEVEN), id="driver"),
        pytest.param("xdpoffload 7 dev e", AttachWords(Xdp("e", "offload"), SEVEN), id="offload"),
        pytest.param(
            "xdp 7 dev e replace name guard",
            AttachWords(Xdp("e"), SEVEN, instead=GUARD),
            id="replace",
        ),
        pytest.param("xdp 7 dev overwrite", AttachWords(Xdp("overwrite"), SEVEN), id="odd-name"),
        pytest.param("tcx_ingress 7 dev e", AttachWords(Tcx("e", IN), SEVEN), id="tcx"),
        pytest.param(
            "tcx egress 7 dev e prepend", AttachWords(Tcx("e", OUT, Order("before")), SEVEN), id="2"
        ),
        pytest.param(
            "tcx_ingress 7 dev e after prog id 9",
            AttachWords(Tcx("e", IN, Order("after", "prog", 9)), SEVEN),
            id="order",
        ),
        pytest.param(
            "netkit_peer 7 dev e",
            AttachWords(Netkit("e", AttachType.NETKIT_PEER), SEVEN),
            id="netkit",
        ),
        pytest.param("tc_ingress 7 dev e", AttachWords(Filter("e", IN), SEVEN), id="tc"),
        pytest.param(
            "tc egress 7 dev e overwrite priority 5 handle 0x10",
            AttachWords(Filter("e", OUT, 5, 16), SEVEN, True),
            id="tc-place",
        ),
    ],
)
def test_attach(words: str, expected: AttachWords) -> None:
    assert parse_attach(words.split()) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("xdp dev e", AttachWords(Xdp("e"), None), id="xdp"),
        pytest.param("xdp name guard dev e", AttachWords(Xdp("e"), GUARD), id="program"),
        pytest.param("tcx_egress dev e", AttachWords(Tcx("e", OUT), None), id="tcx"),
        pytest.param(
            "tc ingress dev e priority 2", AttachWords(Filter("e", IN, 2), None), id="priority"
        ),
    ],
)
def test_detach(words: str, expected: AttachWords) -> None:
    assert parse_detach(words.split()) == expected


@pytest.mark.parametrize(
    "words",
    [
        "",
        "xdp",
        "xdp 7",
        "xdp 7 dev",
        "xdp 7 on e",
        "xdp 7 dev e sometimes",
        "xdp 7 dev e overwrite more",
        "xdp 7 dev e replace",
        "xdpomg 7 dev e",
        "tc 7 dev e",
        "tc sideways 7 dev e",
        "tc_ingress 7 dev e priority",
        "tc_ingress 7 dev e priority 65536",
        "tc_ingress 7 dev e handle 0x100000000",
        "tcx_ingress 7 dev e preorder",
    ],
)
def test_attach_that_makes_no_sense(words: str) -> None:
    with pytest.raises(UsageError):
        parse_attach(words.split())


@pytest.mark.parametrize(
    "words", ["", "xdp", "xdp dev", "xdp dev e first", "tcx_ingress dev e first", "tc dev e"]
)
def test_detach_that_makes_no_sense(words: str) -> None:
    with pytest.raises(UsageError):
        parse_detach(words.split())


def test_device() -> None:
    assert parse_device([]) is None
    assert parse_device(["dev", "e"]) == "e"
    for words in (["e"], ["dev"], ["dev", ""], ["dev", "e", "f"]):
        with pytest.raises(UsageError, match="expected"):
            parse_device(words)
