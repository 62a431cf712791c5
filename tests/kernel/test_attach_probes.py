"""`link create` for programs on functions: they run, and `link show` says what they are on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.kernel.attr import prog_test_run
from bpfctl.kernel.bpf import bpf
from bpfctl.linux.cpus import online_cpu_numbers
from bpfctl.linux.version import kernel_version
from bpfctl.objects.binary_places import binary_path, function_offsets
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import open_pin
from tests.cli.runner import PROGRAM, Done, as_program, in_process
from tests.kernel import needs
from tests.kernel.probed import burn, call_libc, fork, probed, touch, unlink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DONE = Done(0, "", "")
LIBC = binary_path("libc.so.6")
A64L = function_offsets(LIBC, ["a64l"])[0]
PID = str(os.getpid())
OLD = "(this kernel does not tell the function)"


def told(words: str, since: tuple[int, int], less: str) -> str:
    """Return the words for a link, on kernels that do not tell of what it is the other ones."""
    return words if kernel_version() >= since else less


@pytest.mark.parametrize(
    ("program", "words", "function"),
    [
        pytest.param("on_fentry", "fentry", "vfs_unlink", marks=needs.TRAMPOLINES, id="fentry"),
        pytest.param("on_fexit", "fexit", "vfs_unlink", marks=needs.FEXIT, id="fexit"),
        pytest.param(
            "on_fmod_ret", "fmod_ret", "security_inode_unlink", marks=needs.FMOD_RET, id="fmod_ret"
        ),
        pytest.param("on_lsm", "lsm", "bpf_lsm_inode_unlink", marks=needs.LSM, id="lsm"),
    ],
)
@pytest.mark.parametrize("explicit", [True, False], ids=["said", "not said"])
def test_functions_known_since_load(
    program: str, words: str, function: str, explicit: bool, bpffs: Path
) -> None:
    with probed(program, bpffs) as one:
        assert one.create(*([words] if explicit else [])) == DONE
        unlink()
        assert one.counted() == (1, 0)
        shown = one.shown()
        assert shown["type"] == "tracing"
        assert shown["attached_to"] == f"{words} {told(function, (5, 13), OLD)}"


@needs.LSM_CGROUP
def test_lsm_cgroup(bpffs: Path, cgroup: Path) -> None:
    with probed("on_lsm_cgroup", bpffs, everybody=True) as one:
        assert one.create("cgroup", str(cgroup), "lsm_cgroup") == DONE
        unlink()
        assert one.counted() == (0, 0)
        inside = 'echo $$ > "$0"; f=$(mktemp) && rm "$f"'
        subprocess.run(["sh", "-c", inside, f"{cgroup}/cgroup.procs"], check=True)
        assert one.counted()[0] >= 1
        assert one.shown()["attached_to"] == f"lsm_cgroup on /{cgroup.name}"


@needs.KPROBE
@needs.PERF_LINK
@pytest.mark.parametrize(
    ("words", "at"),
    [
        pytest.param("kprobe vfs_unlink", "kprobe vfs_unlink", id="kprobe"),
        pytest.param("kretprobe vfs_unlink", "kretprobe vfs_unlink", id="kretprobe"),
    ],
)
def test_kprobe(words: str, at: str, bpffs: Path) -> None:
    program = "on_kprobe" if words.startswith("kprobe") else "on_kretprobe"
    with probed(program, bpffs) as one:
        assert one.create(*words.split()) == DONE
        unlink()
        assert one.counted() == (1, 0)
        unsaid = "perf event (this kernel does not tell of what)"
        assert one.shown()["attached_to"] == told(at, (6, 6), unsaid)


@needs.KPROBE
@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        pytest.param("kprobe vfs_unlinkk", "no-such-function", 3, id="no function"),
        pytest.param("kprobe vfs_unlink+0x7ffffff", "probe-offset-outside", 2, id="no such offset"),
        pytest.param("uprobe /nowhere:main", "path", 1, id="no file"),
        pytest.param("uprobe libc.so.6:a64", "no-such-function", 3, id="no function in a file"),
        pytest.param("uprobe libc.so.6:a64l pid 2147483647", "no-such-process", 3, id="no process"),
    ],
)
def test_what_cannot_be_probed(words: str, code: str | None, status: int, bpffs: Path) -> None:
    with probed("on_kprobe", bpffs) as one:
        done = in_process("-j", "link", "create", one.prog, *words.split(), "--pin", one.link)
        error = done.json["error"]
        assert (done.status, error["code"]) == (status, code or error["code"])
        assert not (bpffs / "link").exists()
        if words == "kprobe vfs_unlinkk":
            assert "vfs_unlink" in error["remedy"]


@needs.KPROBE_MULTI
@pytest.mark.parametrize(
    ("words", "kind", "names"),
    [
        pytest.param("kprobe.multi vfs_unlink,vfs_rmdir", "kprobe", 2, id="names"),
        pytest.param("kprobe.multi vfs_unlin*", "kprobe", 1, id="pattern"),
        pytest.param("kretprobe.multi vfs_unlink", "kretprobe", 1, id="return"),
    ],
)
def test_kprobe_multi(words: str, kind: str, names: int, bpffs: Path) -> None:
    with probed("on_kprobe_multi", bpffs) as one:
        assert one.create(*words.split()) == DONE
        unlink()
        assert one.counted() == (1, 0)
        shown = one.shown()
        if kernel_version() < (6, 6):
            assert shown["attached_to"] == f"{kind} functions that this kernel does not tell"
            return
        found = shown["attached_to"].removeprefix(f"{kind} ").split(", ")
        assert sorted(found) == ["vfs_rmdir", "vfs_unlink"][-names:]
        assert (shown["func_cnt"], shown["retprobe"]) == (names, kind == "kretprobe")


@needs.KPROBE_MULTI
@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        pytest.param("kprobe.multi vfs_unlink,no_such_fn", "no-such-function", 3, id="no name"),
        pytest.param("kprobe.multi no_such_fn*", "no-such-function", 3, id="pattern of nothing"),
        pytest.param("kprobe.multi vfs_unlink cookies 1,2", "cookie-count", 2, id="two cookies"),
    ],
)
def test_kprobe_multi_refused(words: str, code: str, status: int, bpffs: Path) -> None:
    with probed("on_kprobe_multi", bpffs) as one:
        done = in_process("-j", "link", "create", one.prog, *words.split(), "--pin", one.link)
        assert (done.status, done.json["error"]["code"]) == (status, code)


@needs.KPROBE_SESSION
def test_kprobe_session(bpffs: Path) -> None:
    """Such a program runs on entry, and as it returns 0, on return too."""
    with probed("on_kprobe_session", bpffs) as one:
        assert one.create("kprobe.session", "vfs_unlink") == DONE
        unlink()
        assert one.counted() == (2, 0)
        assert one.shown()["attached_to"].endswith(" vfs_unlink")


@needs.TRACING_MULTI
@pytest.mark.parametrize(
    ("program", "words", "names"),
    [
        pytest.param(
            "on_fentry_multi", "fentry.multi vfs_unlink,vfs_rmdir cookies 7,9", 2, id="names"
        ),
        pytest.param("on_fexit_multi", "fexit.multi vfs_unlin*", 1, id="pattern"),
    ],
)
def test_tracing_multi(program: str, words: str, names: int, bpffs: Path) -> None:
    with probed(program, bpffs) as one:
        assert one.create(*words.split()) == DONE
        unlink()
        assert one.counted() == (1, 0)
        shown = one.shown()
        kind = words.split()[0]
        found = shown["attached_to"].removeprefix(f"{kind} ").split(", ")
        assert sorted(found) == ["vfs_rmdir", "vfs_unlink"][-names:]
        assert (shown["type"], shown["func_cnt"]) == ("tracing_multi", names)
        cookies = {one["func"]: one["cookie"] for one in shown["funcs"]}
        assert cookies["vfs_unlink"] == (7 if names == 2 else 0)


@needs.TRACING_MULTI
def test_tracing_multi_by_its_section(data: Path, bpffs: Path) -> None:
    words = ("--only", "on_fexit_multi", "--attach")
    done = in_process("prog", "loadall", f"{data}/probes.bpf.o", f"{bpffs}/all", *words)
    assert done == DONE
    shown = in_process("-j", "link", "show", f"{bpffs}/all/on_fexit_multi").json
    assert shown["attached_to"] == "fexit.multi vfs_unlink"


@needs.UPROBE
@needs.PERF_LINK
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        pytest.param("uprobe libc.so.6:a64l", "uprobe", id="function of a library"),
        pytest.param(f"uprobe {LIBC}:a64l pid {PID}", "uprobe", id="path and process"),
        pytest.param(f"uprobe {LIBC}:{A64L:#x}", "uprobe", id="offset"),
        pytest.param("uretprobe libc.so.6:a64l", "uretprobe", id="return"),
    ],
)
def test_uprobe(words: str, kind: str, bpffs: Path) -> None:
    with probed("on_uprobe", bpffs) as one:
        assert one.create(*words.split()) == DONE
        call_libc()
        assert one.counted() == (1, 0)
        unsaid = "perf event (this kernel does not tell of what)"
        assert one.shown()["attached_to"] == told(f"{kind} {LIBC}+{A64L:#x}", (6, 6), unsaid)


@needs.UPROBE
@needs.PERF_LINK
def test_a_uprobe_in_one_process_does_not_see_others(bpffs: Path) -> None:
    with probed("on_uprobe", bpffs, everybody=True) as one:
        with subprocess.Popen(["sleep", "100"]) as other:
            try:
                assert one.create("uprobe", "libc.so.6:a64l", "pid", str(other.pid)) == DONE
                call_libc()
            finally:
                other.kill()
        assert one.counted() == (0, 0)


@needs.UPROBE_MULTI
@pytest.mark.parametrize(
    ("words", "kind", "count"),
    [
        pytest.param("uprobe.multi libc.so.6:a64l,l64a", "uprobe", 2, id="names"),
        pytest.param(f"uprobe.multi {LIBC}:a64*", "uprobe", 1, id="pattern"),
        pytest.param(f"uprobe.multi {LIBC}:{A64L:#x},l64a+0", "uprobe", 2, id="offsets"),
        pytest.param(f"uretprobe.multi {LIBC}:a64l pid {PID}", "uretprobe", 1, id="return"),
    ],
)
def test_uprobe_multi(words: str, kind: str, count: int, bpffs: Path) -> None:
    with probed("on_uprobe_multi", bpffs) as one:
        assert one.create(*words.split()) == DONE
        call_libc()
        assert one.counted() == (1, 0)
        shown = one.shown()
        if kernel_version() < (6, 8):
            assert shown["attached_to"] == f"{kind} a file that this kernel does not tell"
            return
        at = f"{LIBC}+{A64L:#x}" if count == 1 else f"{LIBC} (2 places)"
        only = f" (pid {PID})" if "pid" in words else ""
        assert shown["attached_to"] == f"{kind} {at}{only}"
        assert A64L in [one["offset"] for one in shown["funcs"]]


@needs.UPROBE_SESSION
def test_uprobe_session(bpffs: Path) -> None:
    with probed("on_uprobe_session", bpffs) as one:
        assert one.create("uprobe.session", "libc.so.6:a64l") == DONE
        call_libc()
        assert one.counted() == (2, 0)


@needs.PERF_LINK
def test_perf_event_so_often_a_second(bpffs: Path) -> None:
    """The kernel gives clocks a number of their own (perf_event_open, Linux 6.2)."""
    with probed("on_perf_event", bpffs) as one:
        assert one.create("perf_event", "cpu-clock", "freq", "100", "pid", PID) == DONE
        burn()
        assert one.counted()[0] >= 1


@needs.PERF_LINK
def test_perf_event_on_every_cpu(bpffs: Path) -> None:
    """A link for each: they are pinned in a directory."""
    with probed("on_perf_event", bpffs) as one:
        words = ("perf_event", "cpu-clock", "freq", "100", "cpu", "all")
        done = in_process("-j", "link", "create", one.prog, *words, "--pin", one.link)
        made = done.json if isinstance(done.json, list) else [done.json]
        assert len(made) == len(online_cpu_numbers())
        assert len({entry["id"] for entry in made}) == len(made)
        burn()
        assert one.counted()[0] >= 1
        assert in_process("prog", "unload", "on_perf_event").status == 0
        assert list(bpffs.iterdir()) == []


@needs.PERF_LINK
def test_perf_event_every_so_many(bpffs: Path) -> None:
    with probed("on_perf_event", bpffs) as one:
        assert one.create("perf_event", "page-faults", "period", "1", "pid", PID) == DONE
        touch()
        assert one.counted()[0] >= 16
        unsaid = "perf event (this kernel does not tell of what)"
        assert one.shown()["attached_to"] == told("software event page-faults", (6, 6), unsaid)


@pytest.mark.parametrize(
    ("program", "words", "act"),
    [
        pytest.param("on_kprobe", "kprobe vfs_unlink", unlink, marks=needs.KPROBE, id="kprobe"),
        pytest.param("on_uprobe", "uprobe libc.so.6:a64l", call_libc, id="uprobe"),
        pytest.param("on_perf_event", "perf_event cpu-clock freq 100 cpu 0", burn, id="counter"),
    ],
)
def test_hold(program: str, words: str, act: Callable[[], None], bpffs: Path) -> None:
    """Where the kernel has no links to perf events, holding still attaches."""
    has_links = needs.verdicts()["link perf_event"].available is not False
    on_cpu_0 = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})
    try:
        with probed(program, bpffs) as one:
            command = (*PROGRAM, "-j", "link", "create", one.prog, *words.split(), "--hold")
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as process:
                try:
                    assert process.stdout is not None
                    assert process.stderr is not None
                    line = process.stdout.readline()
                    assert line, process.stderr.read()
                    record = json.loads(line)
                    assert ("id" in record) == has_links
                    assert process.stderr.readline().endswith("until Ctrl-C\n")
                    act()
                    count = one.counted()[0]
                    assert count >= 1
                    process.send_signal(signal.SIGTERM)
                    assert process.wait(10) == 0
                finally:
                    process.kill()
            before = one.counted()
            act()
            assert one.counted() == before
    finally:
        os.sched_setaffinity(0, on_cpu_0)


@needs.KPROBE
def test_without_links_a_pin_is_refused(bpffs: Path) -> None:
    if needs.verdicts()["link perf_event"].available:
        with probed("on_kprobe", bpffs) as one:
            assert one.create("kprobe", "vfs_unlink") == DONE
        return
    with probed("on_kprobe", bpffs) as one:
        done = in_process(
            "-j", "link", "create", one.prog, "kprobe", "vfs_unlink", "--pin", one.link
        )
        error = done.json["error"]
        assert (done.status, error["code"], error["since"]) == (5, "link-kind-unsupported", "5.15")
        assert "--hold" in error["remedy"]


COOKIE = 0x123456789
LOADED = [
    pytest.param("on_fentry", "fentry", unlink, id="fentry"),
    pytest.param("on_lsm", "lsm", unlink, id="lsm"),
]
LINKED = [
    pytest.param("on_kprobe", "kprobe vfs_unlink", unlink, marks=needs.KPROBE, id="kprobe"),
    pytest.param("on_uprobe", "uprobe libc.so.6:a64l", call_libc, id="uprobe"),
    pytest.param("on_tracepoint", "tracepoint sched/sched_process_fork", fork, id="tracepoint"),
]
RAW = [
    pytest.param("on_raw_tp", "raw_tp sched_process_fork", fork, id="raw_tp"),
    pytest.param("on_tp_btf", "tp_btf", fork, id="tp_btf"),
]


def sees_cookie(program: str, words: str, act: Callable[[], None], bpffs: Path) -> Any:
    """Attach with a cookie; the program sees it each time it runs."""
    with probed(program, bpffs, of="cookies") as one:
        assert one.create(*words.split(), "cookie", str(COOKIE)) == DONE
        act()
        runs, cookies = one.counted()
        assert runs >= 1
        assert cookies == runs * COOKIE
        return one.shown()


@needs.TRAMPOLINES
@needs.LSM
@needs.FUNCTION_COOKIE
@pytest.mark.parametrize(("program", "words", "act"), LOADED)
def test_cookie_of_functions(
    program: str, words: str, act: Callable[[], None], bpffs: Path
) -> None:
    shown = sees_cookie(program, words, act, bpffs)
    assert shown.get("cookie") == (COOKIE if kernel_version() >= (6, 15) else shown.get("cookie"))


@needs.UPROBE
@needs.PERF_LINK
@pytest.mark.parametrize(("program", "words", "act"), LINKED)
def test_cookie_of_perf_events(
    program: str, words: str, act: Callable[[], None], bpffs: Path
) -> None:
    shown = sees_cookie(program, words, act, bpffs)
    if kernel_version() >= (6, 9):
        assert shown["cookie"] == COOKIE


@needs.RAW_COOKIE
@pytest.mark.parametrize(("program", "words", "act"), RAW)
def test_cookie_of_raw_tracepoints(
    program: str, words: str, act: Callable[[], None], bpffs: Path
) -> None:
    sees_cookie(program, words, act, bpffs)


@needs.KPROBE_MULTI
def test_cookies_of_many_functions(bpffs: Path) -> None:
    with probed("on_kprobe_multi", bpffs, of="cookies") as one:
        assert one.create("kprobe.multi", "vfs_rmdir,vfs_unlink", "cookies", "7,9") == DONE
        unlink()
        assert one.counted() == (1, 9)
        if kernel_version() >= (6, 9):
            cookies = {func["func"]: func["cookie"] for func in one.shown()["funcs"]}
            assert cookies == {"vfs_rmdir": 7, "vfs_unlink": 9}


@needs.UPROBE_MULTI
def test_cookies_of_many_places(bpffs: Path) -> None:
    with probed("on_uprobe_multi", bpffs, of="cookies") as one:
        assert one.create("uprobe.multi", "libc.so.6:l64a,a64l", "cookies", "7,9") == DONE
        call_libc()
        assert one.counted() == (1, 9)


@pytest.mark.explains("cookie-unsupported")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("raw_tp", "raw_tp sched_process_exec", id="raw_tp"),
        pytest.param("tp_btf", "tp_btf", id="tp_btf"),
    ],
)
def test_a_kernel_without_cookies(name: str, words: str, data: Path, bpffs: Path) -> None:
    """Some take the cookie of a tp_btf and forget it: that is no success."""
    assert in_process("prog", "load", f"{data}/{name}.bpf.o", f"{bpffs}/prog") == DONE
    create = ("-j", "link", "create", f"{bpffs}/prog", *words.split(), "cookie", "7")
    done = in_process(*create, "--pin", f"{bpffs}/link")
    if kernel_version() >= (6, 10):
        assert (done.status, done.json.get("cookie", 7)) == (0, 7)  # told since Linux 6.16
        return
    error = done.json["error"]
    assert (done.status, error["code"], error["since"]) == (5, "cookie-unsupported", "6.10")
    assert not (bpffs / "link").exists()


def run_xdp(path: str) -> int:
    kind, fd = open_pin(path)
    assert kind is ObjectKind.PROG
    with fd:
        attr = prog_test_run(fd, data_in=bytes(64))
        bpf(attr)
    return attr.retval


@needs.FREPLACE
def test_freplace(data: Path, bpffs: Path) -> None:
    """The same program replaces a function where it was loaded for, and of another program."""
    targets = [f"{bpffs}/first", f"{bpffs}/second"]
    for target in targets:
        assert in_process("prog", "load", f"{data}/replaceable.bpf.o", target) == DONE
    replacement, link = f"{bpffs}/drop", f"{bpffs}/link"
    words = ("--program", "drop", "--target", f"{targets[0]}:verdict")
    loaded = in_process("prog", "load", f"{data}/replacement.bpf.o", replacement, *words)
    assert loaded == DONE
    assert [run_xdp(target) for target in targets] == [2, 2]
    assert in_process("link", "create", replacement, "--pin", link) == DONE
    assert [run_xdp(target) for target in targets] == [1, 2]
    shown = in_process("-j", "link", "show", link).json
    if kernel_version() >= (5, 13):
        program = in_process("-j", "prog", "show", targets[0]).json
        assert shown["attached_to"] == f"freplace verdict of program {program['id']} ask"
    again = in_process(
        "link", "create", replacement, "freplace", targets[1], "verdict", "--pin", f"{link}2"
    )
    assert again == DONE
    assert [run_xdp(target) for target in targets] == [1, 1]
    missing = as_program(
        "-j", "link", "create", replacement, "freplace", targets[1], "verdct", "--pin", f"{link}3"
    )
    assert (missing.status, missing.json["error"]["code"]) == (3, "attach-target-missing")
