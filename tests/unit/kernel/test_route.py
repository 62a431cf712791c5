"""What is made of a refusal by rtnetlink, and what is asked of the library that writes messages."""

from __future__ import annotations

import errno
import os
from typing import Any, Self

import pyroute2
import pytest
from pyroute2.netlink.exceptions import NetlinkError

from bpfctl.errors import SyscallError
from bpfctl.kernel import route
from bpfctl.kernel.route import FilterPlace

PLACE = FilterPlace(3, 0xFFFFFFF2, 5, 7)
CALLS: dict[str, Any] = {
    "set_xdp": lambda: route.set_xdp(3, None, flags=2, expected_fd=9, doing="do it"),
    "put_filter": lambda: route.put_filter(PLACE, 8, "guard", replace=True, doing="do it"),
    "take_filter": lambda: route.take_filter(PLACE, "do it"),
    "add_clsact": lambda: route.add_clsact(3, "do it"),
    "remove_clsact": lambda: route.remove_clsact(3, "do it"),
}
WHERE = {"index": 3, "handle": 7, "parent": 0xFFFFFFF2, "prio": 5}
SENT = {
    "set_xdp": (
        "link", ("set",),
        {"index": 3, "IFLA_XDP": {"attrs": [
            ("IFLA_XDP_FD", -1), ("IFLA_XDP_FLAGS", 2), ("IFLA_XDP_EXPECTED_FD", 9)]}},
    ),
    "put_filter": (
        "tc", ("replace-filter", "bpf"),
        WHERE | {"fd": 8, "name": "guard", "direct_action": True},
    ),
    "take_filter": ("tc", ("del-filter", "bpf"), WHERE),
    "add_clsact": ("tc", ("add", "clsact", 3), {}),
    "remove_clsact": ("tc", ("del", "clsact", 3), {}),
}  # fmt: skip


class Route:
    """Stands in for a connection: notes what is sent, and fails as a test says."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.sent: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __call__(self, *, ext_ack: bool) -> Self:
        assert ext_ack
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _note(self, call: str, words: tuple[Any, ...], more: dict[str, Any]) -> None:
        self.sent.append((call, words, more))
        if self.error:
            raise self.error

    def link(self, *words: Any, **more: Any) -> None:
        self._note("link", words, more)

    def tc(self, *words: Any, **more: Any) -> None:
        self._note("tc", words, more)


@pytest.mark.parametrize("name", CALLS)
def test_requests(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Route()
    monkeypatch.setattr(pyroute2, "IPRoute", made)
    CALLS[name]()
    assert made.sent == [SENT[name]]


@pytest.mark.parametrize(
    ("error", "evidence"),
    [
        pytest.param(
            NetlinkError(errno.EBUSY, "XDP program already attached"),
            ['the kernel says: "XDP program already attached"'],
            id="with-words",
        ),
        pytest.param(NetlinkError(errno.EBUSY), [], id="without-words"),
        pytest.param(OSError(errno.EBUSY, os.strerror(errno.EBUSY)), [], id="socket"),
    ],
)
@pytest.mark.parametrize("name", CALLS)
def test_refusals(
    name: str, error: Exception, evidence: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyroute2, "IPRoute", Route(error))
    with pytest.raises(SyscallError) as caught:
        CALLS[name]()
    assert (caught.value.errno, caught.value.call, caught.value.doing) == (
        errno.EBUSY,
        "netlink",
        "do it",
    )
    assert caught.value.evidence == evidence
