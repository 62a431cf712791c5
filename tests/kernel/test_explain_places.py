"""Places that are taken or closed: who is there is named, and what to do instead."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.api import open_object
from bpfctl.errors import BpfctlError, PathError, SyscallError, UsageError
from bpfctl.explain.engine import explain
from bpfctl.kernel.attr import prog_attach, prog_detach
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.flags import AttachFlags
from bpfctl.kernel.uapi import AttachType
from bpfctl.linux.cgroups import cgroup2_mounts
from bpfctl.objects.attach_held import held
from bpfctl.objects.attach_targets import Cgroup, Tracepoint
from tests.kernel import needs
from tests.kernel.conftest import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bpfctl.api import Program
    from tests.kernel.conftest import NetNs

CONNECT4 = AttachType.CGROUP_INET4_CONNECT
EXEC = Tracepoint("sched", "sched_process_exec")
OVERRIDE, MULTI, REPLACE = (
    AttachFlags.ALLOW_OVERRIDE,
    AttachFlags.ALLOW_MULTI,
    AttachFlags.REPLACE,
)


@contextmanager
def loaded(name: str) -> Iterator[Program]:
    """Load an object of one program."""
    with open_object(f"{DATA}/{name}.bpf.o") as found:
        yield next(iter(found.load().programs.values()))


@contextmanager
def explaining() -> Iterator[None]:
    """Explain what goes wrong, as the command line does."""
    try:
        yield
    except BpfctlError as err:
        raise explain(err) from None


@contextmanager
def attached(program: Program, cgroup: Path, flags: int) -> Iterator[None]:
    """Attach a program to a cgroup without a link; what the kernel refuses is explained."""
    number = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY)
    where: dict[str, Any] = {"attach_type": CONNECT4, "target_fd": number, "prog_fd": program.fd}
    try:
        with explaining():
            bpf(prog_attach(attach_flags=flags, **where))
        try:
            yield
        finally:
            bpf(prog_detach(**where))
    finally:
        os.close(number)


@needs.PERF_LINK
@pytest.mark.explains("attached-there-already")
def test_a_second_link_to_a_trace_event(bpffs: Path) -> None:
    with loaded("tracepoint") as program:
        program.attach(EXEC).pin(f"{bpffs}/link")
        with pytest.raises(SyscallError) as caught:
            program.attach(EXEC)
    err = caught.value
    assert (err.errno, err.code) == (errno.EEXIST, "attached-there-already")
    assert err.message == "it is attached to tracepoint sched/sched_process_exec already"
    first = next(one for one in err.evidence if " has it there" in one)
    assert f"pinned at {bpffs}/link, held by " in first
    assert f"[{os.getpid()}] fd " in first


def test_a_second_event_for_a_trace_event() -> None:
    """Without links, as on kernels before 5.15."""
    with loaded("tracepoint") as program:
        info = program.info
        with (
            held(program.fd, info, EXEC),
            pytest.raises(SyscallError) as caught,
            explaining(),
            held(program.fd, info, EXEC),
        ):
            pass
    err = caught.value
    assert (err.errno, err.code) == (errno.EEXIST, "attached-there-already")
    (first,) = err.evidence
    assert first.startswith("it runs on sched_process_exec (perf event of ")
    assert first.endswith(f"[{os.getpid()}])")


@needs.TRAMPOLINES
def test_a_second_link_to_a_function() -> None:
    with open_object(f"{DATA}/fentry.bpf.o") as found:
        program = found.load().programs["on_unlink"]
        program.attach()
        with pytest.raises(SyscallError) as caught:
            program.attach()
    err = caught.value
    assert err.errno in (errno.EBUSY, errno.ENOENT)
    assert err.code == "attached-there-already"
    assert err.message == "it is attached to the target that the program was loaded for already"
    assert " has it there, held by " in err.evidence[0]


def test_a_second_link_to_a_raw_tracepoint() -> None:
    """Young kernels take it; older ones say who is there."""
    refused = None
    with loaded("raw_tp") as program:
        program.attach()
        try:
            program.attach().close()
        except SyscallError as err:
            refused = err
    if refused is not None:
        assert (refused.errno, refused.code) == (errno.EEXIST, "attached-there-already")
        assert " has it there, held by " in refused.evidence[0]


@needs.TCX
def test_a_second_link_to_a_side_of_an_interface(netns: NetNs, bpffs: Path) -> None:
    with loaded("tcx_pass") as program:
        program.pin(f"{bpffs}/prog")
        words = [sys.executable, "-m", "bpfctl", "-j", "link", "create", f"{bpffs}/prog"]
        words += ["tcx", "ingress", "dev", netns.device, "--pin"]
        netns.run(*words, f"{bpffs}/link")
        with pytest.raises(subprocess.CalledProcessError) as caught:
            netns.run(*words, f"{bpffs}/other")
    error = json.loads(caught.value.stdout)["error"]
    assert (error["code"], error["errno"]) == ("attached-there-already", "EEXIST")
    assert f" has it there, pinned at {bpffs}/link" in error["evidence"][0]


@pytest.mark.explains("cgroup-full")
def test_a_cgroup_that_runs_all_it_may(cgroup: Path) -> None:
    target = Cgroup(str(cgroup), CONNECT4)
    with loaded("connect4") as program:
        links = [program.attach(target) for _ in range(64)]
        with pytest.raises(SyscallError) as caught:
            program.attach(target)
        for link in links:
            link.close()
        program.attach(target).close()
    err = caught.value
    assert (err.errno, err.code) == (errno.E2BIG, "cgroup-full")
    assert err.message == f"cannot attach to {target}: 64 programs are attached there already"
    assert err.evidence[0].startswith(f"/{cgroup.name} runs programs ")
    assert err.evidence[0].endswith(" and 61 more, and takes no more")


@pytest.mark.explains("cgroup-flags-exclude")
@pytest.mark.parametrize(
    ("flags", "rule", "given"),
    [
        pytest.param(OVERRIDE | MULTI, "override and multi", "override, multi (0x3)", id="both"),
        pytest.param(
            OVERRIDE | REPLACE, "replace goes with multi only", "override, replace (0x5)", id="one"
        ),
        pytest.param(REPLACE, "replace goes with multi only", "replace (0x4)", id="neither"),
    ],
)
def test_flags_that_exclude_each_other(flags: int, rule: str, given: str, cgroup: Path) -> None:
    with (
        loaded("connect4") as program,
        pytest.raises(UsageError) as caught,
        attached(program, cgroup, flags),
    ):
        pass
    err = caught.value
    assert err.code == "cgroup-flags-exclude"
    assert err.message == f"the flags of this attachment exclude each other: {rule}"
    assert err.evidence == [f"flags given: {given}"]
    assert err.refusal is not None
    assert err.refusal.errno == errno.EINVAL


@pytest.mark.explains("cgroup-attach-forbidden")
def test_the_way_down_to_a_cgroup_that_is_closed(cgroup: Path) -> None:
    """The ancestor that forbids it is marked, with its program, and the wanted one."""
    place = cgroup / "slice" / "web"
    place.mkdir(parents=True)
    target = Cgroup(str(place), CONNECT4)
    with loaded("connect4") as program:
        with (
            attached(program, cgroup / "slice", 0),
            pytest.raises(SyscallError) as caught,
        ):
            program.attach(target)
        policy = f"program {program.info.id} {program.info.name}"
        program.attach(target).close()
    err = caught.value
    assert (err.errno, err.code) == (errno.EPERM, "cgroup-attach-forbidden")
    assert err.message == f"cannot attach to {target}: an ancestor forbids it"
    way = [line.split(maxsplit=1) for line in err.evidence if line.startswith("/")]
    assert way == [
        ["/", "-"],
        [f"/{cgroup.name}", "-"],
        [f"/{cgroup.name}/slice", f"{policy}, attached without override or multi   <- forbids"],
        [f"/{cgroup.name}/slice/web", "-   (wanted here)"],
    ]
    assert err.remedy == f"attach {policy} as a link or with multi, or attach above it"


def test_a_program_that_may_be_overridden_shares_with_no_link(cgroup: Path) -> None:
    with (
        loaded("connect4") as program,
        attached(program, cgroup, OVERRIDE),
        pytest.raises(SyscallError) as caught,
    ):
        program.attach(Cgroup(str(cgroup), CONNECT4))
    err = caught.value
    assert err.code == "cgroup-attach-forbidden"
    assert "attached with override only   <- forbids   (wanted here)" in " ".join(err.evidence)


@pytest.mark.explains("not-cgroup2")
def test_a_cgroup_of_version_1(tmp_path: Path, cgroup: Path) -> None:
    """A hierarchy of our own, where the wanted cgroup of version 2 has a twin."""
    kind = ["mount", "-t", "cgroup", "-o", "none,name=bpfctl-test", "none", str(tmp_path)]
    subprocess.run(kind, check=True)
    try:
        twin = tmp_path / cgroup.name
        twin.mkdir()
        with loaded("connect4") as program, pytest.raises(PathError) as caught:
            program.attach(Cgroup(str(twin), CONNECT4))
        twin.rmdir()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    err = caught.value
    assert (err.code, err.message) == ("not-cgroup2", "this is no cgroup of version 2")
    assert err.evidence[0] == (f"{tmp_path} is a hierarchy of version 1, where no BPF programs run")
    assert err.remedy == f"did you mean {cgroup}?"


def test_a_directory_that_is_no_cgroup(tmp_path: Path) -> None:
    with loaded("connect4") as program, pytest.raises(PathError) as caught:
        program.attach(Cgroup(str(tmp_path), CONNECT4))
    assert caught.value.code == "not-cgroup2"
    assert caught.value.remedy == f"cgroups of version 2 are below {cgroup2_mounts()[0]}"


@pytest.mark.explains("no-cgroup")
def test_a_cgroup_by_its_path_within_the_hierarchy(cgroup: Path) -> None:
    (cgroup / "web").mkdir()
    with loaded("connect4") as program:
        for path in (f"/{cgroup.name}/web", f"{cgroup}/wep"):
            with pytest.raises(PathError) as caught:
                program.attach(Cgroup(path, CONNECT4))
            err = caught.value
            assert (err.code, err.message) == (
                "no-cgroup",
                "cannot open the cgroup: no such file or directory",
            )
            assert err.remedy == f"did you mean {cgroup}/web?"
