"""Package indexes and release files: what is read of them, and the newest of a series."""

from __future__ import annotations

import pytest

from tests.vm.apt import checksums
from tests.vm.errors import VmError
from tests.vm.kernels import SERIES
from tests.vm.packages import Package, newest, packages


def paragraph(name: str, version: str) -> str:
    return (
        f"Package: {name}\nVersion: {version}\nDescription: words\n of two lines\n"
        f"Filename: pool/{name}_{version}.deb\nSHA256: 00ff\n\n"
    )


INDEX = (
    paragraph("linux-image-6.1.0-9-cloud-amd64", "6.1.27-1")
    + paragraph("linux-image-6.1.0-10-cloud-amd64", "6.1.38-1")
    + paragraph("linux-image-6.1.0-10-cloud-amd64-dbg", "6.1.99-1")
    + paragraph("linux-image-6.1.0-10-amd64", "6.1.99-1")
)
CLOUD = r"linux-image-6\.1\.0-\d+-cloud-amd64"


def test_whole_names_match() -> None:
    assert [found.version for found in packages(INDEX, CLOUD)] == ["6.1.27-1", "6.1.38-1"]


def test_fields() -> None:
    name = "linux-image-6.1.0-9-cloud-amd64"
    assert next(packages(INDEX, CLOUD)) == Package(
        name, "6.1.27-1", f"pool/{name}_6.1.27-1.deb", "00ff"
    )


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        pytest.param("6.1.99-1", "6.1.100-1", id="numbers"),
        pytest.param("6.1.1-1~bpo1+1", "6.1.1-1", id="tilde"),
        pytest.param("6.1.1-1", "6.1.1-1+b1", id="binary rebuild"),
    ],
)
@pytest.mark.parametrize("reverse", [False, True])
def test_newest(older: str, newer: str, reverse: bool) -> None:
    index = "".join(
        paragraph(f"linux-image-6.1.0-{number}-cloud-amd64", version)
        for number, version in sorted(enumerate((older, newer), 5), reverse=reverse)
    )
    assert newest(index, CLOUD).version == newer


def test_last_paragraph_without_an_empty_line() -> None:
    assert newest(paragraph("one", "1").rstrip("\n"), "one").sha256 == "00ff"


def test_none_matches() -> None:
    with pytest.raises(VmError, match="no package called two"):
        newest(INDEX, "two")


def test_field_missing() -> None:
    with pytest.raises(VmError, match="'Filename' for one"):
        newest("Package: one\nVersion: 1\n\n", "one")


@pytest.mark.parametrize(
    ("series", "name"),
    [
        ("5.10", "linux-image-5.10.0-46-cloud-amd64"),
        ("6.1", "linux-image-6.1.0-50-cloud-amd64"),
        ("6.12", "linux-image-6.12.107+deb13-cloud-amd64"),
        ("7.3", "linux-modules-7.3.4+deb13-cloud-amd64"),
        ("7.3", "linux-binary-unsigned-7.3.4+deb13-cloud-amd64"),
    ],
)
def test_names_that_debian_gives(series: str, name: str) -> None:
    patterns = next(one for one in SERIES if one.name == series).packages
    found = [
        found.name for pattern in patterns for found in packages(paragraph(name, "1"), pattern)
    ]
    assert found == [name]


def test_checksums_of_a_release() -> None:
    release = (
        "Origin: Debian\nMD5Sum:\n 11 5 main/a\nSHA256:\n aa 5 main/a\n bb  77 main/b\nSHA512:\n"
        " cc 5 main/a\n"
    )
    assert checksums(release) == {"main/a": "aa", "main/b": "bb"}
