"""Functions of programs that are not replaced: both prototypes are shown, or who is there."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from bpfctl.api import open_object
from bpfctl.btf.types import Kind
from bpfctl.elf.reader import read_object
from bpfctl.errors import BpfctlError, SyscallError, VerifierError
from bpfctl.kernel.info import prog_info
from bpfctl.linux.version import kernel_version
from bpfctl.loader.attach_target import TargetWish
from bpfctl.loader.options import LoadOptions
from bpfctl.objects.attach_targets import Function
from bpfctl.objects.btf import loaded_btf
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.select import Selector
from tests.kernel import needs
from tests.kernel.conftest import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bpfctl.api import Program

pytestmark = needs.FREPLACE
MAGIC = b"\x9f\xeb\x01\x00"  # .BTF begins with it, and stands before .BTF.ext
REPLACED = "replaced   int decide(struct xdp_md *ctx)"


@pytest.fixture
def target() -> Iterator[Program]:
    """Return a program with a function `decide` that may be replaced."""
    with open_object(f"{DATA}/target.bpf.o") as found:
        yield found.load().programs["packets"]


def wishes(target: Program) -> LoadOptions:
    """Wish that programs replace or trace a function of the target."""
    return LoadOptions(
        targets={"": TargetWish("decide", Selector(ObjectKind.PROG, "id", str(target.info.id)))}
    )


def refused(target: Program, path: str, name: str) -> BpfctlError:
    """Load a program as a replacement for `decide`; return the error."""
    with open_object(path) as found, pytest.raises(BpfctlError) as caught:
        found.load(only=[name], options=wishes(target))
    return caught.value


@pytest.mark.explains("freplace-prototype-differs")
@pytest.mark.parametrize(
    ("name", "words", "by", "mark"),
    [
        pytest.param(
            "more_arguments",
            "2 arguments instead of 1",
            "int more_arguments(struct xdp_md *ctx, int more)",
            "int more",
            id="more arguments",
        ),
        pytest.param(
            "no_arguments",
            "0 arguments instead of 1",
            "int no_arguments(void)",
            "void",
            id="fewer arguments",
        ),
        pytest.param(
            "other_context",
            "argument 1 is struct __sk_buff *, not struct xdp_md *",
            "int other_context(struct __sk_buff *skb)",
            "struct __sk_buff *skb",
            id="another struct",
        ),
        pytest.param(
            "a_number",
            "argument 1 is int, not struct xdp_md *",
            "int a_number(int ctx)",
            "int ctx",
            id="another kind",
        ),
    ],
)
def test_another_prototype(name: str, words: str, by: str, mark: str, target: Program) -> None:
    err = refused(target, f"{DATA}/bad_replacements.bpf.o", name)
    assert (type(err), err.code) == (VerifierError, "freplace-prototype-differs")
    assert err.message == f"{name} does not have the prototype of decide: {words}"
    assert err.evidence[:2] == [REPLACED, f"by         {by}"]
    marks = err.evidence[2]
    start = err.evidence[1].rindex(mark)
    assert marks == " " * start + "^" * len(mark)
    assert err.remedy == f"declare it as: int {name}(struct xdp_md *ctx)"


def test_a_typedef_is_what_it_stands_for(target: Program) -> None:
    with open_object(f"{DATA}/bad_replacements.bpf.o") as found:
        found.load(only=["by_typedef"], options=wishes(target))
        assert list(found.programs) == ["by_typedef"]


def as_static(path: str, function: str, place: Path) -> str:
    """Write an object as a compiler makes it that knows no global functions (clang before 10)."""
    btf = read_object(path).btf
    assert btf is not None
    number = btf.find(function, Kind.FUNC)
    assert number is not None
    with open(path, "rb") as file:  # noqa: PTH123 - as it is shorter
        data = bytearray(file.read())
    data[data.index(MAGIC) + btf.record_offset(number) + 4] = 0
    copy = place / "static.bpf.o"
    copy.write_bytes(data)
    return str(copy)


@pytest.mark.explains("freplace-static-function")
@pytest.mark.parametrize("side", ["target", "replacement"])
def test_a_static_function(side: str, target: Program, tmp_path: Path) -> None:
    replacement = f"{DATA}/replace.bpf.o"
    if side == "target":
        path = as_static(f"{DATA}/target.bpf.o", "decide", tmp_path)
        with open_object(path) as found:
            other = found.load().programs["packets"]
            err = refused(other, replacement, "decide_otherwise")
        name, label = "decide", "replaced: static int decide(struct xdp_md *ctx)"
    else:
        path = as_static(replacement, "decide_otherwise", tmp_path)
        err = refused(target, path, "decide_otherwise")
        name = "decide_otherwise"
        label = "what replaces another: static int decide_otherwise(struct xdp_md *ctx)"
    assert (type(err), err.code) == (VerifierError, "freplace-static-function")
    assert err.message.startswith(f"{name} is no global function")
    assert err.evidence[0] == label
    assert "clang 10 or later" in (err.remedy or "")


@pytest.mark.explains("freplace-function-taken")
def test_a_function_that_is_replaced_already(target: Program) -> None:
    with open_object(f"{DATA}/replace.bpf.o") as one, open_object(f"{DATA}/replace.bpf.o") as two:
        for each in (one, two):
            each.load(only=["decide_otherwise"], options=wishes(target))
        first, second = (each.programs["decide_otherwise"] for each in (one, two))
        info = prog_info(target.fd)
        btf = loaded_btf(info.number("btf_id") or 0)
        place = Function(target.fd.fileno(), btf.find("decide", Kind.FUNC) or 0, "decide")
        first.attach(place)
        with pytest.raises(SyscallError) as caught:
            second.attach(place)
        there = f"has program {first.info.id} there"
    err = caught.value
    assert err.errno == errno.EBUSY
    if kernel_version() < (5, 13):  # links do not tell what they are on
        assert "the function is replaced already, or fentry or fexit is on it" in err.candidates
        return
    assert err.code == "freplace-function-taken"
    expected = f"function decide of program {info.number('id')} is replaced or traced already"
    assert err.message == expected
    assert any(one.endswith(there) for one in err.evidence)
