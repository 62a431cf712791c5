"""Objects as old compilers make them: what is missing, and which version writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.api import open_object
from bpfctl.errors import NotSupportedError, ObjectFileError, VerifierError
from bpfctl.linux.version import kernel_version
from bpfctl.loader.attach_target import TargetWish
from bpfctl.loader.options import LoadOptions
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.select import Selector
from tests.kernel import needs
from tests.kernel.conftest import DATA

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"\x9f\xeb\x01\x00"  # .BTF begins with it, and stands before .BTF.ext
REMEDY = "compile with -g, and with clang 10 or later (gcc 12 or later: -gbtf)"


def renamed(name: str, old: bytes, place: Path, *, in_btf: bool = False) -> str:
    """Copy an object with another word in it, so that nobody finds what is called so."""
    data = bytearray((DATA / f"{name}.bpf.o").read_bytes())
    start = data.index(MAGIC) if in_btf else 0
    at = data.index(old + b"\0", start) + 1
    data[at : at + 1] = b"x"
    copy = place / "old.bpf.o"
    copy.write_bytes(data)
    return str(copy)


@pytest.mark.explains("object-without-btf")
def test_maps_without_types(tmp_path: Path) -> None:
    with pytest.raises(ObjectFileError) as caught:
        open_object(renamed("maps", b".BTF", tmp_path))
    err = caught.value
    assert (err.code, err.remedy) == ("object-without-btf", REMEDY)
    assert err.evidence == ["there is no section .BTF"]


@needs.FREPLACE
def test_a_replacement_without_types(tmp_path: Path) -> None:
    path = renamed("replace", b".BTF", tmp_path)
    with open_object(f"{DATA}/target.bpf.o") as target, open_object(path) as found:
        chosen = Selector(ObjectKind.PROG, "id", str(target.load().programs["packets"].info.id))
        options = LoadOptions(targets={"": TargetWish("decide", chosen)})
        with pytest.raises(VerifierError) as caught:
            found.load(options=options)
    err = caught.value
    assert (err.code, err.remedy) == ("object-without-btf", REMEDY)
    assert err.evidence[0] == "there is no section .BTF"
    assert err.evidence[1].startswith("the kernel says: ")


@pytest.mark.explains("btf-without-variables")
def test_types_without_variables(tmp_path: Path) -> None:
    with pytest.raises(ObjectFileError) as caught:
        open_object(renamed("maps", b".maps", tmp_path, in_btf=True))
    err = caught.value
    assert err.code == "btf-without-variables"
    assert "the first that lists them is 9" in (err.remedy or "")


def test_a_rejection_without_source_lines(tmp_path: Path) -> None:
    """The rule is named all the same, and what would show the line."""
    path = renamed("null_check", b".BTF.ext", tmp_path)
    with open_object(path) as found, pytest.raises(VerifierError) as caught:
        found.load()
    err = caught.value
    assert (err.code, err.file) == ("verifier-null-check-missing", None)
    assert err.evidence[-1] == (
        "no source lines: the object has no line information; compile with -g, and with clang 8 "
        "or later"
    )


@needs.TRAMPOLINES
def test_an_attach_type_that_the_kernel_does_not_know() -> None:
    """The verifier's log says nothing of it."""
    options = LoadOptions(targets={"": TargetWish("vfs_unlink")})
    with open_object(f"{DATA}/fentry.bpf.o", prog_type="fsession") as found:
        if kernel_version() >= (7, 0):
            assert list(found.load(options=options).programs) == ["on_unlink"]
            return
        with pytest.raises(NotSupportedError) as caught:
            found.load(options=options)
    err = caught.value
    assert (err.code, err.since) == ("attach-type-unsupported", "7.0")
    assert (
        err.message == "this kernel does not support attach type trace_fsession (since Linux 7.0)"
    )
