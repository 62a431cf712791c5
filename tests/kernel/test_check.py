"""What `check` says of each object for this kernel, against what this kernel does with it."""

from __future__ import annotations

import errno
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.types import DeclTag, Kind
from bpfctl.check.check import check, subject_of
from bpfctl.check.finding import State
from bpfctl.check.kernels import running
from bpfctl.elf.reader import read_object
from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import SyscallError, VerifierError
from bpfctl.features.since_kfuncs import KFUNCS
from bpfctl.features.since_targets import ITERATORS
from bpfctl.linux.version import kernel_version, parse_release
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from tests.kernel.conftest import DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bpfctl.check.kernels import Target
    from bpfctl.elf.spec import ObjectSpec

UNREADABLE = {"bad_userblah.bpf.o", "bad_xdpomg.bpf.o"}
OBJECTS = sorted(one.name for one in DATA.glob("*.bpf.o") if one.name not in UNREADABLE)
# What these do is wrong on every kernel: the verifier's business, which no types tell.
CARELESS = {"null_check.bpf.o"}
# A kernel may refuse all of these, whatever its types have.
TRAMPOLINES = {AttachKind.TRACING, AttachKind.LSM, AttachKind.LSM_CGROUP, AttachKind.EXT}


@pytest.fixture(scope="module")
def here() -> Target:
    return running()


def failure(spec: ObjectSpec, bpffs: Path) -> Exception | None:
    """Load an object and let it go; say how that failed."""
    try:
        load(spec, LoadOptions(bpffs=str(bpffs))).close()
    except Exception as err:
        return err
    return None


def is_policy(spec: ObjectSpec, error: Exception | None) -> bool:
    """Whether a kernel refused a trampoline, with EPERM and without a word of the verifier's."""
    if not isinstance(error, SyscallError) or isinstance(error, VerifierError):
        return False
    kinds = {one.section.kind for one in spec.programs if one.name == error.program}
    return error.errno == errno.EPERM and bool(kinds & TRAMPOLINES)


@pytest.mark.parametrize("name", OBJECTS)
def test_the_kernel_agrees(name: str, here: Target, bpffs: Path) -> None:
    spec = read_object(str(DATA / name))
    report = check(subject_of(spec), here)
    missing = [one for one in report.of(State.MISSING) if not one.attach]
    error = failure(spec, bpffs)
    if error is None:
        assert missing == []
    else:
        told = missing or report.of(State.UNKNOWN)
        assert told or name in CARELESS or is_policy(spec, error), error


def test_nothing_is_loaded_and_no_privilege_is_taken(tool: Callable[[str], str]) -> None:
    tool("setpriv")
    words = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    words += [
        sys.executable,
        "-m",
        "bpfctl",
        "-d",
        "-j",
        "check",
        str(DATA / "core.bpf.o"),
        str(DATA / "kconfig.bpf.o"),
    ]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert '"verdict":"' in done.stdout
    assert done.stderr == ""


def test_first_versions_of_kfuncs(here: Target) -> None:
    """No kernel marks one that we say came later; those that mark none say nothing."""
    btf = here.types.btf
    tags = (btf.type(one) for one in btf.find_all("bpf_kfunc", (Kind.DECL_TAG,)))
    marked = {btf.name(one.type_id) for one in tags if isinstance(one, DeclTag)}
    later = {name for name, since in KFUNCS.items() if parse_release(since) > kernel_version()}
    assert marked & later == set()


def test_first_versions_of_what_is_listed(here: Target) -> None:
    """The running kernel is as old as it seems by its numbers."""
    version = kernel_version()
    assert here.age.least
    assert parse_release(here.age.least) <= version
    assert not here.age.below or version < parse_release(here.age.below)


def test_first_versions_of_iterators(here: Target) -> None:
    """No kernel has one that we say came later."""
    later = {name for name, since in ITERATORS.items() if parse_release(since) > kernel_version()}
    assert [name for name in later if here.has_function(f"bpf_iter_{name}")] == []
