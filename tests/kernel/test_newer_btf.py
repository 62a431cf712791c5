"""The running kernel's types with one of a kind that no kernel has yet among them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.features.doctor import examine
from bpfctl.features.machine import read_machine
from bpfctl.objects.btf import KERNEL_FILE
from tests.builders.future import FUTURE, with_future
from tests.cli.runner import in_process

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.shared
DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def future(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, str]]:
    """Return both files: with the sizes, and without."""
    place = tmp_path_factory.mktemp("future")
    paths, data = {}, Path(KERNEL_FILE).read_bytes()
    for told in (True, False):
        path = place / f"vmlinux-{told}"
        path.write_bytes(with_future(data, told=told))
        paths[told] = str(path)
    yield paths
    for path in place.iterdir():
        path.unlink()


def test_a_load_goes_on(future: dict[bool, str], bpffs: Path) -> None:
    words = ["prog", "loadall", str(DATA / "core.bpf.o"), str(bpffs / "x")]
    done = in_process(*words, "kernel_btf", future[True])
    assert (done.status, done.err) == (0, "")


@pytest.mark.explains("btf-unknown-kind")
def test_a_load_that_cannot(future: dict[bool, str], bpffs: Path) -> None:
    words = ["prog", "loadall", str(DATA / "core.bpf.o"), str(bpffs / "x")]
    error = in_process("-j", *words, "kernel_btf", future[False]).json["error"]
    assert error["code"] == "btf-unknown-kind"
    assert f"has a record of unknown kind {FUTURE} (type " in error["message"]
    assert error["remedy"].startswith("use a newer bpfctl")
    assert not (bpffs / "x").exists()


def test_what_needs_no_types_loads_all_the_same(future: dict[bool, str], bpffs: Path) -> None:
    words = ["prog", "load", str(DATA / "tracepoint.bpf.o"), str(bpffs / "p")]
    assert in_process(*words, "kernel_btf", future[False]).status == 0


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (True, f"passed over, newer than bpfctl: 1 of kind {FUTURE}"),
        (False, f"unknown kind {FUTURE}"),
    ],
    ids=["told", "not-told"],
)
def test_doctor_says_it(told: bool, seen: str, future: dict[bool, str]) -> None:
    findings = examine(read_machine(future[told])).findings["kernel"]
    (types,) = [one for one in findings if one.name == "BTF"]
    assert seen in types.seen
