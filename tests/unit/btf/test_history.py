"""Versions, and what kernels lacked then."""

from __future__ import annotations

import pytest

from bpfctl.btf.history import HISTORY, missing_before
from bpfctl.errors import UsageError

LATE = {"long_names", "qmark_datasec", "tag_attributes", "layout"}


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        pytest.param("5.0", set(HISTORY) - {"func"}, id="5.0"),
        pytest.param("5.4", set(HISTORY) - {"func", "datasec"}, id="5.4"),
        pytest.param(
            "5.10", {"empty_datasec", "float", "decl_tag", "type_tag", "enum64", *LATE}, id="5.10"
        ),
        pytest.param("6.0", LATE, id="6.0"),
        pytest.param("6.9", {"tag_attributes", "layout"}, id="6.9"),
        pytest.param("7.1", set(), id="7.1"),
    ],
)
def test_missing(version: str, missing: set[str]) -> None:
    assert missing_before(version) == missing


def test_the_table_is_in_order() -> None:
    versions = [one.version for one in HISTORY.values()]
    assert versions == sorted(versions)
    assert all(one.source for one in HISTORY.values())


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("", '"" is no version', id="empty"),
        pytest.param("5", '"5" is no version', id="one number"),
        pytest.param("5.4.1", '"5.4.1" is no version', id="three"),
        pytest.param("5.x", '"5.x" is no version', id="letters"),
        pytest.param("4.20", "for Linux 5.0 and later, not for 4.20", id="too old"),
    ],
)
def test_no_version(text: str, error: str) -> None:
    with pytest.raises(UsageError, match=error):
        missing_before(text)
