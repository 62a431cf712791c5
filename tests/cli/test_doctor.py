"""`doctor`: what it writes of a machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.features import machine as module
from bpfctl.features.doctor import examine
from bpfctl.features.verdict import not_available
from tests.cli.runner import in_process
from tests.unit.features.machines import DENIED, facts, machine

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Return a function that says what the machine is like."""

    def use(**changes: Any) -> None:
        monkeypatch.setattr(module, "read_machine", lambda: machine(**changes))

    return use


TROUBLED = {
    "facts": facts(lockdown=None),
    "attach": machine().attach | {"kprobe_attach": not_available("CONFIG_KPROBES is not set")},
    "programs": machine().programs | {"fentry": DENIED, "lsm": DENIED},
}
SCREEN = """\
kernel 6.18.44 x86_64 | 17 good | 2 limited | 1 cannot tell
rights  bpf(2)        good        answers
        capabilities  good        CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN
        unprivileged  good        kernel.unprivileged_bpf_disabled is 2: CAP_BPF is needed, and
                                  there
        tokens        good        no bpffs that delegates (only user namespaces need one)
        lockdown      cannot tell /sys/kernel/security/lockdown cannot be read
                                  -> mount -t securityfs securityfs /sys/kernel/security
        LSM           good        active: lockdown, capability, bpf
        perf events   good        kernel.perf_event_paranoid is 2
        symbols       good        /proc/kallsyms shows addresses
        memlock       good        RLIMIT_MEMLOCK does not count for BPF here
kernel  BTF           good        100 types
        module BTF    good        3 of 3 loaded modules
        JIT           good        on
        kprobes       limited     not in this kernel: CONFIG_KPROBES is not set
                                  kprobe programs load, and attach nowhere
                                  -> use tp_btf, raw_tp or tracepoints
        uprobes       good        in this kernel
        trampolines   limited     fentry and lsm refused with EPERM though iter and tp_btf load
                                  no fentry, fexit, fmod_ret, freplace and LSM programs
                                  -> use tp_btf or a tracepoint (bpfctl explain
                                  eperm-trampoline-refused)
        ftrace        good        on
        config        good        all that matters is set in /boot/config
places  bpffs         good        /sys/fs/bpf
        tracefs       good        /sys/kernel/tracing
        cgroups       good        version 2 at /sys/fs/cgroup
"""


def test_screen(serve: Serve) -> None:
    serve(**TROUBLED)
    done = in_process("doctor")
    assert done.out.replace(" · ", " | ") == SCREEN
    assert (done.status, done.err) == (0, "")


def test_json_says_the_same(serve: Serve) -> None:
    serve(**TROUBLED)
    done = in_process("-j", "doctor")
    assert json.loads(done.out) == examine(machine(**TROUBLED)).to_json()
    assert done.json["summary"] == {"good": 17, "limited": 2, "bad": 0, "cannot-tell": 1}
    assert (done.status, done.err) == (0, "")


def test_the_status_is_0_whatever_is_wrong(serve: Serve) -> None:
    serve(btf_error="there is none", missing=None, syscall=not_available("no bpf(2)"))
    done = in_process("doctor")
    assert done.status == 0
    assert "2 bad" in done.out.splitlines()[0]


def test_names_from_outside_are_cleaned(serve: Serve) -> None:
    serve(facts=facts(lsms=("bpf", "\x1b[31m")))
    assert "\x1b" not in in_process("doctor").out


def test_too_many_words() -> None:
    assert in_process("doctor", "now").status == 2
