"""Links of every kind that this kernel makes, with bpftool as the witness."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import struct
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf.kinds import Kind
from bpfctl.elf.reader import read_object
from bpfctl.errors import NotFoundError, PathError, SyscallError, UsageError
from bpfctl.kernel.attr import (
    link_create,
    map_create,
    prog_attach,
    prog_detach,
    with_perf_cookie,
)
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.info import map_info
from bpfctl.kernel.libc import ffi
from bpfctl.kernel.perf import perf_event_open
from bpfctl.kernel.uapi import AttachType, CgroupIterOrder, LinkType, MapType, ProgType
from bpfctl.loader.pipeline import load as load_object
from bpfctl.objects import attach_targets as targets
from bpfctl.objects import link_kinds as kinds
from bpfctl.objects import link_probes as probes
from bpfctl.objects.attach import create_link
from bpfctl.objects.attach_explain import raw_tracepoints
from bpfctl.objects.btf import kernel_btf, loaded_btf
from bpfctl.objects.link import link_info, links
from bpfctl.objects.link_detach import detach
from bpfctl.objects.link_functions import function_target
from bpfctl.objects.link_targets import Targets, describe_target
from bpfctl.objects.pin import pin
from bpfctl.objects.prog import prog_info
from tests.kernel import needs
from tests.kernel.small import RETURN_0, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.loaded import LoadedObject

CONNECT4 = AttachType.CGROUP_INET4_CONNECT


@pytest.fixture
def opened(data: Path) -> Iterator[Callable[[str], LoadedObject]]:
    """Return a function that loads one of our objects for the time of the test."""
    with ExitStack() as stack:

        def open_object(name: str) -> LoadedObject:
            return stack.enter_context(load_object(read_object(str(data / f"{name}.bpf.o"))))

        yield open_object


def program(loaded: LoadedObject) -> Fd:
    (one,) = loaded.programs.values()
    return one.fd


def attach(prog: Fd, target: targets.Target) -> Fd:
    return create_link(prog, prog_info(prog), target)


def same(link: Fd, theirs: dict[str, Any], *, ours: frozenset[str] = frozenset()) -> None:
    """Compare key by key; `ours` are keys of bpftool versions later than the witness."""
    info = link_info(link)
    fields = info.to_json() | Targets([info]).describe(info).facts
    left_out = {"cgroup_path", *ours}
    assert {key: value for key, value in fields.items() if key not in left_out} == {
        key: value for key, value in theirs.items() if key not in {"pids", "pinned"}
    }


def shown(bpftool: Callable[..., Any], link: Fd) -> dict[str, Any]:
    found: dict[str, Any] = bpftool("link", "show", "id", str(link_info(link).id))
    return found


def test_raw_tracepoint(opened: Callable[..., LoadedObject], bpftool: Callable[..., Any]) -> None:
    prog = program(opened("raw_tp"))
    with attach(prog, targets.RawTracepoint("sched_process_exec")) as link:
        same(link, shown(bpftool, link))
        info = link_info(link)
        assert info.prog_id == prog_info(prog).id
        assert describe_target(info) == "sched_process_exec"
        assert info in list(links())


def test_typed_tracepoint(opened: Callable[..., LoadedObject], bpftool: Callable[..., Any]) -> None:
    with attach(program(opened("tp_btf")), targets.Loaded()) as link:
        same(link, shown(bpftool, link))
        assert describe_target(link_info(link)) == "sched_process_exec"


@needs.PERF_LINK_INFO
def test_tracepoint(opened: Callable[..., LoadedObject], bpftool: Callable[..., Any]) -> None:
    target = targets.Tracepoint("sched", "sched_process_exec")
    with attach(program(opened("tracepoint")), target) as link:
        same(link, shown(bpftool, link), ours=frozenset({"tracepoint", "cookie"}))
        assert link_info(link).details == probes.PerfTracepoint("sched_process_exec", 0)
        assert describe_target(link_info(link)) == "tracepoint sched_process_exec"


def test_iterator_of_all_tasks(
    opened: Callable[..., LoadedObject], bpftool: Callable[..., Any]
) -> None:
    prog = program(opened("iter_task"))
    for target in (targets.Iter(), targets.Loaded()):
        with attach(prog, target) as link:
            same(link, shown(bpftool, link))
            assert describe_target(link_info(link)) == "task (all tasks)"


@needs.TASK_ITER
def test_iterators_of_one_task(
    opened: Callable[..., LoadedObject], bpftool: Callable[..., Any]
) -> None:
    prog, own = program(opened("iter_task")), os.getpid()
    with (
        attach(prog, targets.Iter(pid=own)) as of_process,
        attach(prog, targets.Iter(tid=own)) as of_thread,
    ):
        same(of_process, shown(bpftool, of_process), ours=frozenset())
        same(of_thread, shown(bpftool, of_thread), ours=frozenset())
        assert describe_target(link_info(of_process)) == f"task (pid {own})"
        assert describe_target(link_info(of_thread)) == f"task (thread {own})"


def test_iterator_of_a_map(
    opened: Callable[..., LoadedObject], bpftool: Callable[..., Any]
) -> None:
    loaded = opened("iter_map_elem")
    ((name, one),) = loaded.maps.items()
    prog = program(loaded)
    with attach(prog, targets.Iter(map_fd=one.fd.fileno())) as link:
        theirs = shown(bpftool, link)
        same(link, theirs)
        words = f"bpf_map_elem of map {theirs['map_id']} {name[:15]}"
        assert describe_target(link_info(link)) == words
    with pytest.raises(UsageError, match="say of which"):
        attach(prog, targets.Loaded())


@needs.CGROUP_ITER
def test_iterator_of_a_cgroup(
    opened: Callable[..., LoadedObject], bpftool: Callable[..., Any], cgroup: Path
) -> None:
    target = targets.Iter(cgroup=str(cgroup), order=CgroupIterOrder.SELF_ONLY)
    with attach(program(opened("iter_cgroup")), target) as link:
        same(link, shown(bpftool, link))
        assert describe_target(link_info(link)) == f"cgroup /{cgroup.name} (self_only)"


@needs.CGROUP_ITER
@pytest.mark.parametrize("target", [targets.Loaded(), targets.Iter()], ids=["nothing", "iter"])
def test_an_iterator_over_cgroups_needs_one(
    target: targets.Target, opened: Callable[..., LoadedObject]
) -> None:
    with pytest.raises(UsageError, match="say of which") as raised:
        attach(program(opened("iter_cgroup")), target)
    assert raised.value.code == "iterator-needs-cgroup"


@needs.CGROUP_ITER
def test_an_iterator_takes_only_its_own_parameters(opened: Callable[..., LoadedObject]) -> None:
    before = {info.id for info in links()}
    prog = program(opened("iter_cgroup"))
    with pytest.raises((UsageError, SyscallError)):
        attach(prog, targets.Iter(pid=os.getpid()))
    mine = {info.id for info in links() if info.prog_id == prog_info(prog).id}
    assert mine <= before


def test_cgroup(
    opened: Callable[..., LoadedObject], bpftool: Callable[..., Any], cgroup: Path
) -> None:
    (cgroup / "below").mkdir()
    with attach(program(opened("connect4")), targets.Cgroup(f"{cgroup}/below", CONNECT4)) as link:
        same(link, shown(bpftool, link))
        info = link_info(link)
        assert describe_target(info) == f"connect4 on /{cgroup.name}/below"
        detach(link)
        assert describe_target(link_info(link)) == "detached (was connect4)"
        same(link, shown(bpftool, link))


def test_a_cgroup_that_is_removed(opened: Callable[..., LoadedObject], cgroup: Path) -> None:
    (cgroup / "gone").mkdir()
    with attach(program(opened("connect4")), targets.Cgroup(f"{cgroup}/gone", CONNECT4)) as link:
        (cgroup / "gone").rmdir()
        for _ in range(200):  # the kernel detaches programs a moment later
            details = link_info(link).details
            assert isinstance(details, kinds.Cgroup)
            if not details.cgroup_id:
                break
            subprocess.run(["sleep", "0.01"], check=True)
        assert describe_target(link_info(link)) == "detached (was connect4)"


def test_links_that_end_only_by_themselves(
    opened: Callable[..., LoadedObject], bpffs: Path
) -> None:
    prog = program(opened("raw_tp"))
    with attach(prog, targets.RawTracepoint("sched_process_exec")) as link:
        pin(link, str(bpffs / "link"))
        with pytest.raises(SyscallError) as caught:
            detach(link)
        assert caught.value.code == "link-detach-unsupported"
        number = link_info(link).id
        assert caught.value.evidence[:2] == [
            f"link {number} is of type raw_tracepoint, which the kernel cannot detach by force",
            f"pinned at {bpffs}/link",
        ]


@pytest.mark.explains("attach-program-type")
@pytest.mark.parametrize(
    ("code", "error", "target"),
    [
        pytest.param(
            "no-such-tracepoint",
            NotFoundError,
            targets.RawTracepoint("sched_process_exc"),
            id="raw tracepoint",
        ),
        pytest.param("attach-program-type", UsageError, targets.Xdp("lo"), id="xdp"),
        pytest.param("attach-program-type", UsageError, targets.Loaded(), id="loaded"),
        pytest.param("attach-program-type", UsageError, targets.Iter(), id="iter"),
        pytest.param(
            "no-such-interface", NotFoundError, targets.Xdp("no such one"), id="interface"
        ),
        pytest.param(
            "no-cgroup", PathError, targets.Cgroup("/no/such/group", CONNECT4), id="cgroup"
        ),
        pytest.param(
            "no-such-tracepoint",
            NotFoundError,
            targets.Tracepoint("sched", "sched_process_exc"),
            id="tracepoint",
        ),
    ],
)
def test_what_a_raw_tracepoint_program_is_not_attached_to(
    code: str,
    error: type[Exception],
    target: targets.Target,
    opened: Callable[..., LoadedObject],
) -> None:
    prog = program(opened("raw_tp"))
    with pytest.raises(error) as caught:
        attach(prog, target)
    assert getattr(caught.value, "code", "") == code
    assert not [info for info in links() if info.prog_id == prog_info(prog).id]


def test_a_directory_that_is_no_cgroup(opened: Callable[..., LoadedObject], tmp_path: Path) -> None:
    with pytest.raises(PathError) as caught:
        attach(program(opened("connect4")), targets.Cgroup(str(tmp_path), CONNECT4))
    assert caught.value.code == "not-cgroup2"


@pytest.mark.explains("attach-type-differs")
def test_a_cgroup_program_for_something_else(
    opened: Callable[..., LoadedObject], cgroup: Path
) -> None:
    target = targets.Cgroup(str(cgroup), AttachType.CGROUP_INET6_CONNECT)
    with pytest.raises(SyscallError) as caught:
        attach(program(opened("connect4")), target)
    err = caught.value
    assert (err.errno, err.code) == (errno.EINVAL, "attach-type-differs")
    words = "the program was loaded for connect4, not connect6"
    assert err.message == f"cannot attach to {target}: {words}"
    seen = "asked about each attach type, the kernel takes it for connect4 alone"
    assert err.evidence == [seen]
    assert err.remedy == "attach it as connect4, or load it from a section for connect6"


@pytest.mark.parametrize(
    ("place", "whose"),
    [
        pytest.param("below", "an ancestor", id="below"),
        pytest.param(".", "another program there", id="same cgroup"),
    ],
)
def test_a_cgroup_that_admits_no_other_program(
    place: str, whose: str, opened: Callable[..., LoadedObject], cgroup: Path
) -> None:
    (cgroup / "below").mkdir()
    prog = program(opened("connect4"))
    number = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY)
    try:
        bpf(prog_attach(attach_type=CONNECT4, target_fd=number, prog_fd=prog))
        with pytest.raises(SyscallError) as caught:
            attach(prog, targets.Cgroup(str(cgroup / place), CONNECT4))
        bpf(prog_detach(attach_type=CONNECT4, target_fd=number))
    finally:
        os.close(number)
    err = caught.value
    assert (err.errno, err.code) == (errno.EPERM, "cgroup-attach-forbidden")
    assert f"{whose} forbids it" in err.message
    info = prog_info(prog)
    runs = f"program {info.id} {info.name}, attached without override or multi   <- forbids"
    below = place != "."
    assert [line.split(maxsplit=1) for line in err.evidence[-1 - below :]] == [
        [f"/{cgroup.name}", runs + ("" if below else "   (wanted here)")],
        *([[f"/{cgroup.name}/below", "-   (wanted here)"]] if below else []),
    ]
    assert (
        err.remedy
        == f"attach program {info.id} {info.name} as a link or with multi, or attach above it"
    )
    attach(prog, targets.Cgroup(str(cgroup / place), CONNECT4)).close()


def test_tracepoints_are_found_by_their_types() -> None:
    names = raw_tracepoints()
    assert {"sched_switch", "sched_process_exec", "sys_enter"} <= set(names)


@needs.SK_LOOKUP
def test_network_namespace(bpftool: Callable[..., Any]) -> None:
    kind = AttachType.SK_LOOKUP
    place = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        with load(ProgType.SK_LOOKUP, expected_attach_type=kind, code=PASS) as prog:
            request = link_create(prog_fd=prog, target_fd=place, attach_type=kind)
            with bpf_fd(request) as link:
                same(link, shown(bpftool, link))
                assert describe_target(link_info(link)) == "sk_lookup in this network namespace"
                detach(link)
                assert describe_target(link_info(link)) == "detached (was sk_lookup)"
    finally:
        os.close(place)


PASS = bytes.fromhex("b7000000010000009500000000000000")  # return 1: SK_PASS, NF_ACCEPT


@needs.NETFILTER_LINK
def test_netfilter(netns: Any) -> None:
    """Made in a network namespace of its own: nothing else is filtered."""
    printed = netns.run(sys.executable, "-c", NETFILTER)
    expected = {"pf": 2, "hook": 1, "prio": -128, "flags": 0}
    assert printed == f"{expected}\nipv4 input, priority -128\n"


NETFILTER = """
from bpfctl.kernel.attr import link_create, prog_load
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.objects.link import link_info
from bpfctl.objects.link_functions import function_target
from bpfctl.objects.link_targets import describe_target

code = bytes.fromhex("b700000001000000" "9500000000000000")
kind = AttachType.NETFILTER
request = prog_load(
    prog_type=ProgType.NETFILTER, insns=code, license="GPL", expected_attach_type=kind
)
with bpf_fd(request) as prog:
    request = link_create(prog_fd=prog, attach_type=kind)
    request.set("link_create.netfilter", pf=2, hooknum=1, priority=-128)
    with bpf_fd(request) as link:
        print(link_info(link).details.to_json())
        print(describe_target(link_info(link)))
"""


@needs.SOCKMAP_LINK
def test_sockmap() -> None:
    kind = AttachType.SK_MSG_VERDICT
    sockets = map_create(
        map_type=MapType.SOCKMAP, key_size=4, value_size=4, max_entries=1, name="o_sockets"
    )
    with (
        bpf_fd(sockets) as table,
        load(ProgType.SK_MSG, expected_attach_type=kind, code=PASS) as prog,
        bpf_fd(link_create(prog_fd=prog, target_fd=table, attach_type=kind)) as link,
    ):
        map_id = map_info(table).number("id")
        assert map_id is not None
        assert link_info(link).details == kinds.Sockmap(map_id, kind)
        words = f"sk_msg_verdict on map {map_id} o_sockets"
        assert describe_target(link_info(link)) == words


@needs.PERF_LINK_INFO
@pytest.mark.parametrize(
    ("config", "words"),
    [
        pytest.param(3, "software event context-switches", id="context switches"),
        # Newer kernels have a PMU for the clock alone, and may not show it in /sys.
        pytest.param(0, r"software event cpu-clock|(cpu_clock|PMU \d+) event 0x0", id="clock"),
    ],
)
def test_software_event(config: int, words: str) -> None:
    """Every so many times that this process is scheduled, and so never within the test."""
    attr: Any = ffi.new("struct perf_event_attr *")
    attr.type, attr.config, attr.size = 1, config, ffi.sizeof("struct perf_event_attr")
    attr.sample_period = 1 << 40
    kind = AttachType.PERF_EVENT
    with (
        load(ProgType.PERF_EVENT) as prog,
        perf_event_open(attr, pid=os.getpid(), cpu=-1, doing="open an event") as event,
        bpf_fd(
            with_perf_cookie(link_create(prog_fd=prog, target_fd=event, attach_type=kind), 7)
        ) as link,
    ):
        details = link_info(link).details
        assert isinstance(details, probes.PerfEvent)
        assert details.cookie == 7
        assert re.fullmatch(words, describe_target(link_info(link)))


@needs.UPROBE_MULTI
def test_uprobes() -> None:
    """On a function of the C library, in this process only, which does not call it."""
    path, offset = library_function("getenv")
    kind = AttachType.TRACE_UPROBE_MULTI
    offsets = struct.pack("Q", offset)
    with load(ProgType.KPROBE, expected_attach_type=kind, code=RETURN_0) as prog:
        request = link_create(prog_fd=prog, attach_type=kind)
        request.set(
            "link_create.uprobe_multi",
            path=request.text(path),
            offsets=request.pointer(offsets),
            cnt=1,
            pid=os.getpid(),
        )
        with bpf_fd(request) as link:
            info = link_info(link)
    assert info.type == LinkType.UPROBE_MULTI
    place = probes.Place(offset, 0, 0)
    assert info.details == probes.UprobeMulti(path, 1, False, os.getpid(), (place,))
    assert describe_target(info) == f"uprobe {path}+{offset:#x} (pid {os.getpid()})"


def library_function(name: str) -> tuple[str, int]:
    """Return the file that a function of the C library is in, and its offset there."""
    address = ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p).value
    assert address is not None
    for line in Path("/proc/self/maps").read_text().splitlines():
        words = line.split()
        start, end = (int(word, 16) for word in words[0].split("-"))
        if start <= address < end:
            return words[5], address - start + int(words[2], 16)
    raise AssertionError(name)


@needs.PROG_TARGET_INFO
def test_functions_by_their_types(opened: Callable[..., LoadedObject]) -> None:
    """This kernel may refuse to make tracing links, but not to tell what they would be on."""
    prog = program(opened("tp_btf"))
    info = prog_info(prog)
    assert info.attach_btf_obj_id is not None
    function = kernel_btf().find("vfs_unlink", Kind.FUNC)
    assert function is not None
    kernel_function = kinds.Tracing(AttachType.TRACE_FENTRY, info.attach_btf_obj_id, function)
    assert function_target(info.id, kernel_function, "tracing") == "vfs_unlink"
    assert info.btf_id is not None
    main = loaded_btf(info.btf_id).find(info.name, Kind.FUNC)
    assert main is not None
    replaced = kinds.Tracing(0, info.id, main)
    words = f"{info.name} of program {info.id} {info.kernel_name}"
    assert function_target(info.id, replaced, "ext") == words


def test_a_list_survives_links_that_vanish(opened: Callable[..., LoadedObject]) -> None:
    prog = program(opened("raw_tp"))
    seen = links()
    with attach(prog, targets.RawTracepoint("sched_process_exec")) as link:
        own = link_info(link).id
        first = next(seen)
        assert first.id <= own
    assert own not in [info.id for info in seen]
