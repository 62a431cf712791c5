"""`feature probe`: the words it takes, and what it makes of a report."""

from __future__ import annotations

import errno
import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.features.helpers import HelperSet
from bpfctl.features.programs import program_probes
from bpfctl.features.report import FeatureReport
from bpfctl.features.verdict import Answer, available, not_available, unknown
from bpfctl.kernel.uapi import ProgType
from tests.cli.runner import as_program, in_process, run
from tests.unit.features.kernels import facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[[FeatureReport], list[dict[str, bool]]]

PROBES = {probe.name: probe for probe in program_probes()}
DENIED = unknown("the kernel answers EPERM before verification", errno.EPERM, "5.5")
OPTIONS = {"CONFIG_BPF": "y", "CONFIG_HZ": "250", "CONFIG_LSM": "landlock,bpf"}


def report(**changes: Any) -> FeatureReport:
    """Return a small report that has each kind of answer."""
    programs = {
        "iter": available("5.8"),
        "fentry": DENIED,
        "fexit": DENIED,
        "fsession": not_available("the kernel answers EINVAL", errno.EINVAL, "7.0"),
        "lsm": not_available("CONFIG_BPF_LSM is not set", errno.EINVAL, "5.7"),
        "kprobe": available("4.1"),
        "xdp": available("4.8"),
        "cgroup/bind4": not_available("the kernel answers EINVAL", errno.EINVAL, "4.17"),
    }
    whole = FeatureReport(
        facts=facts(options=OPTIONS),
        syscall=available("3.18"),
        programs=tuple((PROBES[name], verdict) for name, verdict in programs.items()),
        map_types={f"kind{number}": available() for number in range(13)}
        | {"rhash": not_available("the kernel answers EINVAL", errno.EINVAL, "7.2")},
        links={"tcx": unknown("the kernel answers ENOMEM", errno.ENOMEM, "6.6")},
        misc={
            "log_true_size": not_available("the kernel leaves the field at 0", since="6.4"),
            "kernel_btf": available("5.4"),
            "kprobe_attach": not_available("CONFIG_KPROBES is not set", since="4.17"),
            "uprobe_attach": available("4.17"),
        },
    )
    return replace(whole, **changes)


HELPERS = {
    ProgType.XDP: HelperSet(
        PROBES["xdp"],
        available(),
        {
            "bpf_redirect": Answer.AVAILABLE,
            "bpf_d_path": Answer.UNKNOWN,
            "bpf_bind": Answer.NOT_AVAILABLE,
        },
    ),
    ProgType.LSM: HelperSet(PROBES["lsm"], DENIED),
}


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Return a function that makes a report the answer, and gives what was asked for."""

    def use(made: FeatureReport) -> list[dict[str, bool]]:
        asked: list[dict[str, bool]] = []

        def probe(**words: bool) -> FeatureReport:
            asked.append(words)
            return made

        monkeypatch.setattr("bpfctl.features.probe.probe_kernel", probe)
        return asked

    return use


SCREEN = """\
kernel 6.18.44 x86_64 · BTF yes · JIT on · unprivileged bpf off · lockdown integrity
programs  tracing     iter yes · fentry, fexit denied (EPERM, cannot tell) · fsession no (since
                      Linux 7.0)
          lsm         lsm no (CONFIG_BPF_LSM is not set) · bpf is an active LSM
          kprobe      load, uprobe attach yes · kprobe attach no (CONFIG_KPROBES is not set)
          network     xdp yes
          cgroup      bind4 no (EINVAL)
maps      13 of 14 yes · rhash no (since Linux 7.2)
links     tcx cannot tell (the kernel answers ENOMEM)
misc      kernel_btf yes · log_true_size no (the kernel leaves the field at 0)
helpers   not asked (-j and full do, for each program type)
sysctl    unprivileged_bpf_disabled 2 · bpf_jit_enable 1 · bpf_jit_limit unreadable
config    3 of 53 set in /boot/config · not set: BPF_SYSCALL, HAVE_EBPF_JIT, BPF_JIT,
"""


@pytest.mark.parametrize("words", [(), ("probe",), ("probe", "kernel")])
def test_screen(serve: Serve, words: tuple[str, ...]) -> None:
    asked = serve(report())
    done = in_process("feature", *words)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(SCREEN)
    assert max(map(len, done.out.splitlines())) <= 100
    assert asked == [{"helpers": False, "noisy": False}]


def test_screen_of_a_kernel_without_bpf(serve: Serve) -> None:
    none = not_available("the kernel has no bpf(2): CONFIG_BPF_SYSCALL", errno.ENOSYS, "3.18")
    known = replace(facts(), lockdown=None, lsms=None)
    serve(report(syscall=none, facts=known))
    lines = in_process("feature").out.splitlines()
    assert lines[0].endswith("lockdown unknown")
    assert lines[1] == "bpf(2)    no (the kernel has no bpf(2): CONFIG_BPF_SYSCALL)"
    assert lines[-1] == "config    unknown: no file tells it"
    assert "active LSM" not in "".join(lines)


def test_an_option_that_this_kernel_cannot_have(serve: Serve) -> None:
    """What is newer than the kernel is no matter of its configuration."""
    later = not_available("CONFIG_LATER is not set", errno.EINVAL, "6.19")
    serve(report(links={"later": later}))
    assert "links     later no (since Linux 6.19)\n" in in_process("feature").out


def test_lsm_that_would_never_run(serve: Serve) -> None:
    serve(report(facts=replace(facts(), lsms=("landlock",))))
    assert "bpf is no active LSM (see lsm= at boot)" in in_process("feature").out


def test_screen_without_unicode() -> None:
    latin = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = as_program("feature", env=latin)
    first = done.out.splitlines()[0]
    assert done.status == 0
    assert first.startswith(f"kernel {os.uname().release} {os.uname().machine} | BTF ")
    assert done.out.isascii()
    assert "\\" not in done.out


def test_full(serve: Serve) -> None:
    asked = serve(report(helpers=HELPERS))
    done = in_process("feature", "probe", "full")
    assert (done.status, done.err) == (0, "")
    assert asked == [{"helpers": True, "noisy": True}]
    header, *rows = [line.split(None, 3) for line in done.out.splitlines()]
    assert header == ["GROUP", "NAME", "ANSWER", "WHY" + header[3][3:]]
    text = [" ".join(line.split()) for line in done.out.splitlines()]
    assert len(rows) == 4 + 3 + 53 + 1 + 8 + 14 + 1 + 4 + 3
    for line in (
        "kernel lsms lockdown,capability,bpf - -",
        "sysctl bpf_jit_limit unreadable - -",
        "config CONFIG_HZ set 250 -",
        "config CONFIG_BPF y - -",
        "config CONFIG_NET not set - -",
        "syscall bpf yes - 3.18",
        "program fentry cannot tell the kernel answers EPERM before verification 5.5",
        "map rhash no the kernel answers EINVAL 7.2",
        "helper xdp bpf_redirect yes - -",
        "helper xdp bpf_d_path cannot tell - -",
        "helper lsm (all) cannot tell the kernel answers EPERM before verification -",
    ):
        assert line in text
    assert not [line for line in text if "bpf_bind" in line]


def test_json(serve: Serve) -> None:
    asked = serve(report(helpers=HELPERS))
    done = in_process("-j", "feature", "probe")
    assert (done.status, done.err) == (0, "")
    assert asked == [{"helpers": True, "noisy": False}]
    fields = done.json
    assert list(fields) == [
        *("system_config", "syscall_config", "program_types", "map_types", "helpers", "misc"),
        *("kernel", "verdicts"),
    ]
    assert fields["program_types"] == {
        "have_kprobe_prog_type": True,
        "have_xdp_prog_type": True,
        "have_cgroup_sock_addr_prog_type": False,
        "have_tracing_prog_type": True,
        "have_lsm_prog_type": False,
    }
    assert fields["system_config"]["bpf_jit_limit"] is None
    assert fields["system_config"]["CONFIG_HZ"] == "250"
    assert fields["map_types"]["have_rhash_map_type"] is False
    assert fields["helpers"] == {
        "xdp_available_helpers": ["bpf_redirect"],
        "lsm_available_helpers": None,
    }
    assert fields["misc"]["have_kernel_btf"] is True
    assert fields["verdicts"]["links"]["tcx"] == {
        "answer": "cannot-tell",
        "reason": "the kernel answers ENOMEM",
        "errno": "ENOMEM",
        "since": "6.6",
    }
    assert fields["verdicts"]["helpers"] == {
        "xdp": {"asked_as": "xdp", "answer": "available", "cannot_tell": ["bpf_d_path"]},
        "lsm": {
            "asked_as": "lsm",
            "answer": "cannot-tell",
            "reason": "the kernel answers EPERM before verification",
            "errno": "EPERM",
        },
    }


@pytest.mark.parametrize("words", [("feature", "probe"), ("-j", "feature", "probe")])
def test_strict(serve: Serve, words: tuple[str, ...]) -> None:
    serve(report(helpers=HELPERS))
    done = in_process(*words, "--strict")
    assert done.status == 4
    assert done.err == "could not be told for lack of permission: program fentry, program fexit\n"
    assert done.out == in_process(*words).out


def test_strict_when_all_was_told(serve: Serve) -> None:
    serve(report(programs=()))
    done = in_process("feature", "probe", "--strict")
    assert (done.status, done.err) == (0, "")


def test_missing_capabilities_are_named(serve: Serve) -> None:
    serve(report(missing_capabilities=("CAP_BPF", "CAP_PERFMON")))
    done = in_process("feature")
    assert done.status == 0
    assert done.err == (
        "2 could not be told: denied, and this process lacks CAP_BPF, CAP_PERFMON\n"
    )


GRAMMAR = "expected [kernel | dev NAME] [full] [macros [prefix PREFIX]] [unprivileged]"


@pytest.mark.parametrize("words", [("dev",), ("dev", "")])
def test_a_device_without_a_name(words: tuple[str, ...]) -> None:
    done = run("feature", "probe", *words)
    assert (done.status, done.out) == (2, "")
    assert done.err == (f'bpfctl: "dev" wants the name of an interface\n  remedy     {GRAMMAR}\n')


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["fulll"], "fulll"),
        (["full", "full"], "full"),
        (["full", "kernel"], "kernel"),
        (["full", "dev", "lo"], "dev"),
        (["prefix", "MY_"], "prefix"),
        (["macros", "prefix", "A_", "prefix", "B_"], "prefix"),
    ],
)
def test_wrong_words(words: list[str], word: str) -> None:
    done = run("feature", "probe", *words)
    assert (done.status, done.out) == (2, "")
    assert done.err == f'bpfctl: "{word}" is not expected there\n  remedy     {GRAMMAR}\n'


@pytest.mark.parametrize("word", ["", "1X", "A B", "X\x1b", 'X"'])
def test_what_begins_no_macro(word: str) -> None:
    done = run("-j", "feature", "probe", "macros", "prefix", word)
    assert (done.status, done.json["error"]["code"]) == (2, "usage")
    assert done.json["error"]["remedy"] == "expected letters, digits and _, no digit first"


def test_a_prefix_that_is_missing() -> None:
    assert run("feature", "probe", "macros", "prefix").status == 2


MACROS = """\
/*** Misc kernel config items ***/
#define MY_CONFIG_HZ 250

/*** System call availability ***/
#define MY_HAVE_BPF_SYSCALL

/*** eBPF program types ***/
#define MY_HAVE_KPROBE_PROG_TYPE
#define MY_HAVE_XDP_PROG_TYPE
#define MY_NO_HAVE_CGROUP_SOCK_ADDR_PROG_TYPE
#define MY_HAVE_TRACING_PROG_TYPE
/* MY_HAVE_LSM_PROG_TYPE: cannot tell (EPERM) */

/*** eBPF map types ***/
#define MY_NO_HAVE_RHASH_MAP_TYPE

/*** eBPF helper functions ***/
/*
 * MY_HAVE_PROG_TYPE_HELPER(prog_type, helper) is 1 where programs of a type may call a helper:
 *
 *	#if MY_HAVE_PROG_TYPE_HELPER(xdp, bpf_redirect)
 *
 * It is 0 where they may not, and where that could not be told.
 */
#define MY_HAVE_PROG_TYPE_HELPER(prog_type, helper) \\
	MY_BPF__PROG_TYPE_ ## prog_type ## __HELPER_ ## helper
#define MY_BPF__PROG_TYPE_xdp__HELPER_bpf_redirect 1
#define MY_BPF__PROG_TYPE_xdp__HELPER_bpf_d_path 0
#define MY_BPF__PROG_TYPE_xdp__HELPER_bpf_bind 0

/*** eBPF misc features ***/
#define MY_NO_HAVE_LOG_TRUE_SIZE
#define MY_HAVE_KERNEL_BTF
#define MY_NO_HAVE_KPROBE_ATTACH
#define MY_HAVE_UPROBE_ATTACH
"""


def test_macros(serve: Serve) -> None:
    lsm = (PROBES["lsm"], DENIED)
    programs = (*(item for item in report().programs if item[0].name != "lsm"), lsm)
    rhash = {"rhash": report().map_types["rhash"]}
    asked = serve(report(helpers=HELPERS, programs=programs, map_types=rhash))
    done = in_process("feature", "probe", "macros", "prefix", "MY_")
    assert (done.status, done.err) == (0, "")
    assert done.out == MACROS
    assert asked == [{"helpers": True, "noisy": False}]


def test_macros_compile(serve: Serve, tool: Callable[[str], str], tmp_path: Path) -> None:
    """A compiler takes the header, and can ask it for each combination, in #if too."""
    serve(report(helpers=HELPERS))
    (tmp_path / "features.h").write_text(in_process("feature", "probe", "macros").out)
    (tmp_path / "asks.c").write_text(
        """#include "features.h"
#if !HAVE_PROG_TYPE_HELPER(xdp, bpf_redirect) || HAVE_PROG_TYPE_HELPER(xdp, bpf_bind)
#error wrong about helpers
#endif
#if !defined(HAVE_XDP_PROG_TYPE) || CONFIG_HZ != 250
#error wrong about the rest
#endif
"""
    )
    source = os.fspath(tmp_path / "asks.c")
    done = subprocess.run([tool("clang"), "-Wall", "-Werror", "-fsyntax-only", source], check=False)
    assert done.returncode == 0


def test_unprivileged_gives_up_capabilities_first(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = serve(report())
    monkeypatch.setattr(
        "bpfctl.kernel.capabilities.drop_capabilities", lambda: asked.append({"dropped": True})
    )
    done = in_process("feature", "probe", "full", "unprivileged")
    assert done.status == 0
    assert asked == [{"dropped": True}, {"helpers": True, "noisy": True}]


@pytest.mark.parametrize(
    ("group", "first", "last"),
    [
        ("prog_types", "unspec", "netfilter"),
        ("map_types", "unspec", "rhash"),
        ("attach_types", "cgroup_inet_ingress", "trace_fsession_multi"),
        ("link_types", "unspec", "tracing_multi"),
        ("helpers", "bpf_unspec", "bpf_cgrp_storage_delete"),
    ],
)
def test_list_builtins(group: str, first: str, last: str) -> None:
    done = run("feature", "list_builtins", group)
    names = done.out.splitlines()
    assert (done.status, names[0], names[-1]) == (0, first, last)
    assert run("-j", "feature", "list_builtins", group).json == names


def test_list_builtins_of_nothing() -> None:
    done = run("feature", "list_builtins", "types")
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        'bpfctl: "types" is no group of names\n'
        "  remedy     expected {prog_types | map_types | attach_types | link_types | helpers}\n"
    )
