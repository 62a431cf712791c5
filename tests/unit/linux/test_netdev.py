"""Interfaces of this network namespace; all have a loopback."""

from __future__ import annotations

from bpfctl.linux.netdev import interface_index, interface_name


def test_there_and_back() -> None:
    assert interface_index("lo") == 1
    assert interface_name(1) == "lo"


def test_none_there() -> None:
    assert interface_index("no such interface") is None
    assert interface_index("a\0b") is None
    assert interface_name(0x7FFFFFF0) is None
    assert interface_name(1 << 40) is None
