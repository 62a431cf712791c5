"""What `check` says of each object for this kernel, against what this kernel does with it."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bpfctl.check.check import check, subject_of
from bpfctl.check.finding import State
from bpfctl.check.kernels import kernels_at, running
from bpfctl.elf.reader import read_object
from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import SyscallError, VerifierError
from bpfctl.linux.version import kernel_version, parse_release
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.objects.btf import KERNEL_FILE
from tests.kernel.conftest import DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bpfctl.check.kernels import Target
    from bpfctl.elf.spec import ObjectSpec

UNREADABLE = {"bad_userblah.bpf.o", "bad_xdpomg.bpf.o"}
OBJECTS = sorted(one.name for one in DATA.glob("*.bpf.o") if one.name not in UNREADABLE)
# The verifier's business, which no types tell: a mistake.
CARELESS = {"null_check.bpf.o"}
# Some kernels of the matrix load these and some do not; the others are the same for most.
DIFFERENT = {
    f"{name}.bpf.o"
    for name in (
        *("arena", "capabilities", "core", "exceptions", "externs_missing", "kconfig", "ksyms"),
        *("ksym_percpu", "map_every", "map_kinds_new", "module_kfunc", "network", "probes"),
        *("raw_tp", "struct_ops", "struct_ops_link", "tcx_pass", "tracepoint"),
        "weak_kfuncs",
    )
}
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


@pytest.mark.parametrize("name", [one for one in OBJECTS if one in DIFFERENT])
def test_the_kernel_agrees(name: str, here: Target, bpffs: Path) -> None:
    agree(name, here, bpffs)


@pytest.mark.shared
@pytest.mark.parametrize("name", [one for one in OBJECTS if one not in DIFFERENT])
def test_the_kernel_agrees_on_the_rest(name: str, here: Target, bpffs: Path) -> None:
    agree(name, here, bpffs)


def agree(name: str, here: Target, bpffs: Path) -> None:
    """Compare what the check says of a load with the load."""
    spec = read_object(str(DATA / name))
    report = check(subject_of(spec), here)
    missing = [one for one in report.of(State.MISSING) if not one.attach]
    error = failure(spec, bpffs)
    if error is None:
        assert missing == []
    else:
        told = missing or report.of(State.UNKNOWN)
        assert told or name in CARELESS or is_policy(spec, error), error


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """The same kernel as somebody else sees it: a file of its types, and nothing else."""
    path = tmp_path_factory.mktemp("btf") / "vmlinux"
    shutil.copyfile(KERNEL_FILE, path)
    (target,) = kernels_at(str(path))
    return target


def test_its_types_alone_say_nothing_else(here: Target, elsewhere: Target) -> None:
    """What only the running kernel tells is "cannot tell" of a file, or missing without modules."""
    for name in ("core.bpf.o", "kconfig.bpf.o", "ksyms.bpf.o", "probes.bpf.o", "map_kinds.bpf.o"):
        subject = subject_of(read_object(str(DATA / name)))
        ours = {(one.kind, one.name): one.state for one in check(subject, here).findings}
        theirs = {(one.kind, one.name): one for one in check(subject, elsewhere).findings}
        assert ours.keys() == theirs.keys()
        for key, one in theirs.items():
            if one.state is not ours[key] and one.state is not State.UNKNOWN:
                assert "modules were not looked into" in one.detail or "weak" in one.detail, one


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


def test_first_versions_of_what_is_listed(here: Target) -> None:
    """The running kernel is as old as it seems by its numbers."""
    version = kernel_version()
    assert here.age.least
    assert parse_release(here.age.least) <= version
    assert not here.age.below or version < parse_release(here.age.below)


def test_what_differs_is_there() -> None:
    assert set(OBJECTS) >= DIFFERENT
