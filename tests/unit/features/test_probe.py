"""The whole report, on kernels that answer every question alike."""

from __future__ import annotations

import errno
import resource
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.features.misc import probe_attach, probe_misc, probe_syscall
from bpfctl.features.probe import probe_kernel
from bpfctl.features.prober import Prober
from bpfctl.features.verdict import Answer, available, not_available, unknown
from bpfctl.kernel.uapi import Cmd
from bpfctl.linux.kconfig import KernelConfig
from bpfctl.linux.memlock import MemlockLimit
from tests.fakes.kernel import FakeKernel
from tests.unit.features.kernels import ASKED, answering, facts, vmlinux, willing

if TYPE_CHECKING:
    from bpfctl.features.facts import Facts
    from bpfctl.features.report import FeatureReport

FROM_FILES = {"kernel_btf", "kprobe_attach", "uprobe_attach"}  # answered without bpf(2)


@pytest.fixture
def btf(tmp_path: Path) -> str:
    path = tmp_path / "vmlinux"
    path.write_bytes(vmlinux())
    return str(path)


def report_of(kernel: FakeKernel, btf: str, known: Facts | None = None) -> FeatureReport:
    with kernel:
        return probe_kernel(helpers=True, facts=known or facts(), vmlinux=btf)


def answers(report: FeatureReport) -> set[Answer]:
    """Return the answers of all that was asked by bpf(2)."""
    return {v.answer for group, name, v in report.verdicts() if name not in FROM_FILES}


def test_denied_everything_is_known_of_nothing(btf: str) -> None:
    report = report_of(answering(-errno.EPERM), btf)
    assert report.syscall.available
    others = {(g, n): v for g, n, v in report.verdicts() if g != "syscall" and n not in FROM_FILES}
    assert {verdict.answer for verdict in others.values()} == {Answer.UNKNOWN}
    assert report.denied() == [f"{group} {name}" for group, name in others]
    fields = report.to_json()
    assert set(fields["program_types"].values()) == {None}
    assert set(fields["map_types"].values()) == {None}
    assert list(fields["helpers"].values()) == [None] * len(fields["program_types"])
    assert fields["misc"]["have_large_insn_limit"] is None


def test_no_bpf_is_none_of_it(btf: str) -> None:
    report = report_of(answering(-errno.ENOSYS), btf)
    assert answers(report) == {Answer.NOT_AVAILABLE}
    assert report.denied() == []
    assert report.map_types["hash"] == not_available(
        "the kernel has no bpf(2): CONFIG_BPF_SYSCALL", errno.ENOSYS, "3.19"
    )
    fields = report.to_json()
    assert fields["syscall_config"] == {"have_bpf_syscall": False}
    assert set(fields["program_types"].values()) == {False}
    assert list(fields["helpers"].values()) == [[]] * len(fields["program_types"])


def test_a_seccomp_filter_may_say_that_too(btf: str) -> None:
    from dataclasses import replace

    report = report_of(answering(-errno.ENOSYS), btf, replace(facts(), seccomp=True))
    assert answers(report) == {Answer.UNKNOWN}
    assert report.to_json()["syscall_config"] == {"have_bpf_syscall": None}


def test_a_kernel_that_takes_all_has_all(btf: str) -> None:
    kernel = willing()
    report = report_of(kernel, btf)
    missing = {name for _, name, v in report.verdicts() if not v.available}
    # A lookup in an empty map "succeeds" too, but nothing says how long the log would be.
    assert missing - FROM_FILES == {"log_true_size"}
    helpers = report.helpers or {}
    assert {kind.name for kind, found in helpers.items() if not found.names} == {
        "EXT",
        "STRUCT_OPS",
    }


def test_unknown_type_everywhere_names_the_options_that_are_missing(btf: str) -> None:
    known = facts(options={"CONFIG_BPF_EVENTS": "y"})
    report = report_of(answering(-errno.EINVAL), btf, known)
    verdicts = {probe.name: verdict for probe, verdict in report.programs}
    assert verdicts["kprobe"].reason == "the kernel answers EINVAL"
    assert verdicts["lsm"].reason == "CONFIG_BPF_LSM is not set"
    assert report.map_types["xskmap"].reason == "CONFIG_XDP_SOCKETS is not set"
    assert report.map_types["hash"].reason == "the kernel answers EINVAL"


def test_json_has_both_words_for_a_program(btf: str) -> None:
    report = report_of(answering(-errno.EPERM), btf)
    assert report.to_json()["verdicts"]["programs"]["fentry"] == {
        "prog_type": "tracing",
        "attach_type": "trace_fentry",
        "answer": "cannot-tell",
        "reason": "the kernel answers EPERM before verification",
        "errno": "EPERM",
        "since": "5.5",
    }
    assert report.to_json()["kernel"] == {
        "release": "6.18.44",
        "machine": "x86_64",
        "jit": True,
        "unprivileged_bpf": False,
        "lockdown": "integrity",
        "lsms": ["lockdown", "capability", "bpf"],
        "config_source": None,
    }


def test_without_helpers_there_is_no_key(btf: str) -> None:
    with answering(-errno.EPERM):
        fields = probe_kernel(facts=facts(), vmlinux=btf).to_json()
    assert "helpers" not in fields
    assert "helpers" not in fields["verdicts"]


@pytest.mark.parametrize(
    ("value", "options", "jit"),
    [
        (1, None, True),
        (2, None, True),
        (0, None, False),
        (None, None, None),
        (None, {}, None),
        (None, {"CONFIG_BPF_JIT_ALWAYS_ON": "y"}, True),
    ],
)
def test_jit(value: int | None, options: dict[str, str] | None, jit: bool | None) -> None:
    known = facts(options=options)
    known.sysctls["bpf_jit_enable"] = value
    assert known.jit is jit


@pytest.mark.parametrize(("value", "is_open"), [(0, True), (1, False), (2, False), (None, None)])
def test_unprivileged(value: int | None, is_open: bool | None) -> None:
    known = facts()
    known.sysctls["unprivileged_bpf_disabled"] = value
    assert known.unprivileged is is_open


@pytest.mark.parametrize(
    ("number", "filtered", "answer"),
    [
        (errno.EINVAL, False, True),
        (errno.E2BIG, False, True),
        (errno.EPERM, False, True),
        (errno.EPERM, True, None),
        (errno.ENOSYS, False, False),
        (errno.ENOSYS, True, None),
        (errno.ENOSYS, None, False),
    ],
)
def test_syscall(number: int, filtered: bool | None, answer: bool | None) -> None:
    with FakeKernel().on(Cmd.PROG_LOAD, -number):
        assert probe_syscall(filtered=filtered).available is answer


@pytest.mark.parametrize(
    ("privileged", "number", "answer"),
    [
        (True, errno.E2BIG, False),
        (True, errno.EINVAL, False),
        (False, errno.E2BIG, None),  # unprivileged programs are short on any kernel
        (False, errno.EINVAL, None),
        (True, errno.EPERM, None),
    ],
)
def test_limits_count_only_with_privileges(
    privileged: bool, number: int, answer: bool | None, btf: str
) -> None:
    with answering(-number), Prober(btf) as prober:
        prober.__dict__["privileged"] = privileged
        verdicts = probe_misc(prober)
    loads = ("large_insn_limit", "bounded_loops", "v2_isa_extension", "v4_isa_extension")
    assert [verdicts[name].available for name in loads] == [answer] * len(loads)


@pytest.mark.parametrize(
    ("number", "answer"),
    [(errno.ENOENT, True), (errno.EINVAL, False), (524, False), (errno.EPERM, None)],
)
def test_batches(number: int, answer: bool | None, btf: str) -> None:
    kernel = FakeKernel()
    for cmd in (Cmd.MAP_CREATE, Cmd.PROG_LOAD, Cmd.BTF_LOAD):
        kernel.on(cmd, kernel.new_fd)
    kernel.on(Cmd.MAP_LOOKUP_BATCH, -number)
    with kernel, Prober(btf) as prober:
        assert probe_misc(prober)["batch_operations"].available is answer


def test_kernel_btf(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"no BTF")
    for path, expected in (
        (str(tmp_path / "absent"), not_available("CONFIG_DEBUG_INFO_BTF is not set", since="5.4")),
        (str(broken), unknown(f"{broken} cannot be read", since="5.4")),
    ):
        with answering(-errno.EPERM), Prober(path) as prober:
            assert probe_misc(prober)["kernel_btf"] == expected


def test_whether_probes_attach_is_told_by_files(tmp_path: Path) -> None:
    devices = tmp_path / "bus/event_source/devices"
    unreadable = probe_attach(None, str(tmp_path))
    assert {verdict.available for verdict in unreadable.values()} == {None}
    (devices / "uprobe").mkdir(parents=True)
    assert probe_attach(None, str(tmp_path)) == {
        "kprobe_attach": not_available("the kernel has no kprobe events", since="4.17"),
        "uprobe_attach": available("4.17"),
    }
    config = KernelConfig("", {})
    assert probe_attach(config, str(tmp_path))["kprobe_attach"] == not_available(
        "CONFIG_KPROBES is not set", since="4.17"
    )


def test_the_limit_of_locked_memory_is_lifted_once_and_put_back(
    btf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = [(1000, 1000)]
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda which, limit: limits.append(limit))
    kernel = FakeKernel()
    kernel.on(Cmd.MAP_CREATE, -errno.EPERM, kernel.new_fd)
    with kernel, Prober(btf) as prober:
        assert prober.inner_map() is not None
        assert limits == [(1000, 1000), (resource.RLIM_INFINITY, resource.RLIM_INFINITY)]
    assert len(kernel.calls) == 2
    assert limits[-1] == (1000, 1000)


def test_a_limit_that_is_not_ours_to_lift(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(which: int, limit: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda which: (1000, 1000))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    limit = MemlockLimit()
    assert not limit.lift()
    limit.restore()


def test_no_limit_needs_no_lifting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert not MemlockLimit().lift()


def test_what_was_made_is_closed(btf: str) -> None:
    kernel = willing()
    before = descriptors()
    report_of(kernel, btf)
    assert descriptors() == before
    assert {call.cmd for call in kernel.calls} == set(ASKED)


def descriptors() -> list[str]:
    """Return the descriptors of this process; the fake kernel's look like any file's."""
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())
