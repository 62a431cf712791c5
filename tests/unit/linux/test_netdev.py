"""Interfaces of this network namespace; all have a loopback."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from bpfctl.linux.netdev import (
    interface_index,
    interface_name,
    interface_names,
    is_up,
    named_namespaces,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_there_and_back() -> None:
    assert interface_index("lo") == 1
    assert interface_name(1) == "lo"


def test_none_there() -> None:
    assert interface_index("no such interface") is None
    assert interface_index("a\0b") is None
    assert interface_name(0x7FFFFFF0) is None
    assert interface_name(1 << 40) is None


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [(1, "lo"), (2, "va0"), (3, "va1")]
    monkeypatch.setattr(socket, "if_nameindex", lambda: listed)
    assert interface_names(3) == ["lo", "va0", "va1"]
    assert interface_names(2) == ["lo", "va0", "..."]


def test_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise OSError

    monkeypatch.setattr(socket, "if_nameindex", refused)
    assert interface_names(3) == []


@pytest.mark.parametrize("name", ["no such", "far too long a name for one"])
def test_no_such_interface_is_neither_up_nor_down(name: str) -> None:
    assert is_up(name) is None


def test_namespaces(tmp_path: Path) -> None:
    for name in ("web", "db", "mail"):
        (tmp_path / name).touch()
    assert named_namespaces(3, str(tmp_path)) == ["db", "mail", "web"]
    assert named_namespaces(1, str(tmp_path)) == ["db", "..."]
    assert named_namespaces(3, str(tmp_path / "absent")) == []
