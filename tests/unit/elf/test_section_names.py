"""The grammar of section names: what is a name, what is not, and what is said about it."""

from __future__ import annotations

import pytest

from bpfctl.elf.section_def import AttachKind, Follow, SectionDef
from bpfctl.elf.sections import SectionName, definitions, parse_section_name, retyped
from bpfctl.elf.targets import EXAMPLES, target_problem
from bpfctl.errors import SectionNameError
from bpfctl.kernel.uapi import AttachType, ProgType

BY_NAME = {one.name: one for one in definitions()}

# libbpf 1.8 as of Linux 7.2: a "+" may be followed by a slash and a target.
_TEXT = """
socket sk_reuseport/migrate sk_reuseport kprobe+ uprobe+ uprobe.s+ kretprobe+ uretprobe+
uretprobe.s+ kprobe.multi+ kretprobe.multi+ kprobe.session+ uprobe.multi+ uretprobe.multi+
uprobe.session+ uprobe.multi.s+ uretprobe.multi.s+ uprobe.session.s+ ksyscall+ kretsyscall+ usdt+
usdt.s+ tc/ingress tc/egress tcx/ingress tcx/egress tc classifier action netkit/primary
netkit/peer tracepoint+ tp+ tracepoint.s+ tp.s+ raw_tracepoint+ raw_tp+ raw_tracepoint.s+
raw_tp.s+ raw_tracepoint.w+ raw_tp.w+ tp_btf+ tp_btf.s+ fentry+ fmod_ret+ fexit+ fentry.s+
fmod_ret.s+ fexit.s+ fsession+ fsession.s+ fentry.multi+ fexit.multi+ fsession.multi+
fentry.multi.s+ fexit.multi.s+ fsession.multi.s+ freplace+ lsm+ lsm.s+ lsm_cgroup+ iter+ iter.s+
syscall xdp.frags/devmap xdp/devmap xdp.frags/cpumap xdp/cpumap xdp.frags xdp perf_event lwt_in
lwt_out lwt_xmit lwt_seg6local sockops sk_skb/stream_parser sk_skb/stream_verdict sk_skb/verdict
sk_skb sk_msg lirc_mode2 flow_dissector cgroup_skb/ingress cgroup_skb/egress cgroup/skb
cgroup/sock_create cgroup/sock_release cgroup/sock cgroup/post_bind4 cgroup/post_bind6
cgroup/bind4 cgroup/bind6 cgroup/connect4 cgroup/connect6 cgroup/connect_unix cgroup/sendmsg4
cgroup/sendmsg6 cgroup/sendmsg_unix cgroup/recvmsg4 cgroup/recvmsg6 cgroup/recvmsg_unix
cgroup/getpeername4 cgroup/getpeername6 cgroup/getpeername_unix cgroup/getsockname4
cgroup/getsockname6 cgroup/getsockname_unix cgroup/sysctl cgroup/getsockopt cgroup/setsockopt
cgroup/dev struct_ops+ struct_ops.s+ sk_lookup netfilter
"""
LIBBPF = _TEXT.split()


def test_the_table_is_libbpfs_and_user() -> None:
    assert sorted(BY_NAME) == sorted([*(name.rstrip("+") for name in LIBBPF), "user"])


@pytest.mark.parametrize("name", [name.rstrip("+") for name in LIBBPF if name.endswith("+")])
def test_names_with_a_target_take_one(name: str) -> None:
    definition = BY_NAME[name]
    assert definition.follow in (Follow.TARGET, Follow.REQUIRED_TARGET)
    target = EXAMPLES[definition.grammar]
    expected = SectionName(definition, f"{name}/{target}", target=target)
    assert parse_section_name(f"{name}/{target}") == expected


@pytest.mark.parametrize("one", definitions(), ids=lambda one: one.name)
def test_a_definition_is_consistent(one: SectionDef) -> None:
    assert one.sleepable == (one.name.endswith(".s") or one.name == "syscall")
    assert one.frags == one.name.startswith("xdp.frags")
    assert tuple(int(part) for part in one.since.split(".")) <= (7, 3)
    if one.follow is Follow.REQUIRED_TARGET:
        with pytest.raises(SectionNameError, match="lacks its target"):
            parse_section_name(one.name)
    else:
        assert parse_section_name(one.name) == SectionName(one, one.name)


@pytest.mark.parametrize("definition", definitions(), ids=lambda one: one.name)
@pytest.mark.parametrize("tail", ["omg", "X", "_x", "1", ".x", "-", " ", "\n"])
def test_nothing_matches_by_its_beginning(definition: SectionDef, tail: str) -> None:
    text = f"{definition.name}{tail}"
    with pytest.raises(SectionNameError) as caught:
        parse_section_name(text, path="a.o")
    assert caught.value.section == text
    assert caught.value.path == "a.o"
    assert str(caught.value).startswith(f'a.o: section "{text}" ')
    for name in caught.value.suggestions:
        assert parse_section_name(name).problem is None


NO_TARGET = [one for one in definitions() if one.follow in (Follow.NOTHING, Follow.LABEL)]


@pytest.mark.parametrize("definition", NO_TARGET, ids=lambda one: one.name)
@pytest.mark.parametrize("tail", ["/", "//"])
def test_a_slash_must_lead_to_a_label(definition: SectionDef, tail: str) -> None:
    with pytest.raises(SectionNameError):
        parse_section_name(definition.name + tail)


@pytest.mark.parametrize(
    ("text", "prog_type", "attach_type", "kind"),
    [
        ("xdp", ProgType.XDP, AttachType.XDP, AttachKind.XDP),
        ("xdp/devmap", ProgType.XDP, AttachType.XDP_DEVMAP, AttachKind.NONE),
        ("user", ProgType.RAW_TRACEPOINT, None, AttachKind.NONE),
        ("iter/task", ProgType.TRACING, AttachType.TRACE_ITER, AttachKind.ITER),
        ("tp_btf/a", ProgType.TRACING, AttachType.TRACE_RAW_TP, AttachKind.TRACING),
        ("lsm/file_open", ProgType.LSM, AttachType.LSM_MAC, AttachKind.LSM),
        ("freplace/f", ProgType.EXT, None, AttachKind.EXT),
        ("tc/ingress", ProgType.SCHED_CLS, AttachType.TCX_INGRESS, AttachKind.TCX),
        ("raw_tp.w/a", ProgType.RAW_TRACEPOINT_WRITABLE, None, AttachKind.RAW_TRACEPOINT),
        (
            "cgroup/connect4",
            ProgType.CGROUP_SOCK_ADDR,
            AttachType.CGROUP_INET4_CONNECT,
            AttachKind.CGROUP,
        ),
        ("sockops", ProgType.SOCK_OPS, AttachType.CGROUP_SOCK_OPS, AttachKind.CGROUP),
    ],
)
def test_what_the_kernel_is_told(
    text: str, prog_type: ProgType, attach_type: AttachType | None, kind: AttachKind
) -> None:
    found = parse_section_name(text)
    assert (found.prog_type, found.attach_type, found.kind) == (prog_type, attach_type, kind)


@pytest.mark.parametrize(
    ("text", "label", "target", "autoload"),
    [
        pytest.param("xdp/my_prog", "my_prog", None, True, id="label"),
        pytest.param("user/x", "x", None, True, id="user-label"),
        pytest.param("socket/a/b.c-1", "a/b.c-1", None, True, id="label-with-slash"),
        pytest.param("?xdp", None, None, False, id="not-loaded-by-itself"),
        pytest.param("?fentry/f", None, "f", False, id="not-loaded-with-target"),
        pytest.param("tp/syscalls/sys_enter_open", None, "syscalls/sys_enter_open", True, id="tp"),
        pytest.param("uprobe//bin/a:b+0x4", None, "/bin/a:b+0x4", True, id="path"),
    ],
)
def test_what_follows_a_name(
    text: str, label: str | None, target: str | None, *, autoload: bool
) -> None:
    found = parse_section_name(text)
    assert (found.label, found.target, found.autoload) == (label, target, autoload)
    assert found.text == text


@pytest.mark.parametrize(
    ("text", "message", "suggestions"),
    [
        ("userblah", "is no program section", ["user", "user/blah"]),
        ("?userblah", "is no program section", ["user", "user/blah"]),
        ("user/", "is no program section: nothing follows the slash", ["user", "user/my_program"]),
        ("xdpomg", "is no program section", ["xdp", "xdp/omg"]),
        ("xdp_devmap_omg", "is no program section", ["xdp/devmap"]),
        ("xdp_devmap/omg", "is no program section", ["xdp/devmap"]),
        (
            "xdp/devmapp",
            'is no program section, and too near to "xdp/devmap" for a label',
            ["xdp/devmap", "xdp", "xdp/my_program"],
        ),
        (
            "xdp/devmap/x",
            'is no program section: nothing may follow "xdp/devmap"',
            ["xdp/devmap"],
        ),
        ("kprobeX", "is no program section", ["kprobe", "kprobe/X"]),
        ("iter", "lacks its target: iter/ITERATOR", ["iter/task"]),
        ("iter/", "lacks its target: iter/ITERATOR", ["iter/task"]),
        (
            "tracepiont/sched/sched_switch",
            "is no program section",
            ["tracepoint/sched/sched_switch", "tracepoint.s/sched/sched_switch"],
        ),
        (
            "cgroup/conect4",
            "is no program section",
            ["cgroup/connect4", "cgroup/connect6", "cgroup/connect_unix"],
        ),
        ("tcx/ingres", "is no program section", ["tcx/ingress", "tc/ingress", "tc"]),
        ("XDP", "is no program section", ["xdp"]),
        ("netkit", "is no program section", ["netkit/primary", "netkit/peer"]),
        ("unrelated words", "is no program section", []),
        ("", "is no program section", []),
        ("?", "is no program section", []),
    ],
)
def test_an_error_names_the_nearest(text: str, message: str, suggestions: list[str]) -> None:
    with pytest.raises(SectionNameError) as caught:
        parse_section_name(text, path="probe.bpf.o")
    assert caught.value.message == f'section "{text}" {message}'
    assert caught.value.suggestions == suggestions
    assert caught.value.code == "section-name"


def test_every_error_says_where_the_names_are() -> None:
    for text in ("userblah", "nothing_like_it"):
        with pytest.raises(SectionNameError) as caught:
            parse_section_name(text)
        assert caught.value.remedy == "bpfctl help sections lists all names"


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("xdpomg", ['libbpf took it for "xdp" by its beginning, and dropped that with 1.0']),
        ("xdp_cpumap/x", ['libbpf 1.0 dropped "xdp_cpumap": the name is "xdp/cpumap" now']),
        ("userblah", []),
        ("kprobe_x", []),  # libbpf always wanted the slash
    ],
)
def test_what_old_libbpf_did_is_said(text: str, evidence: list[str]) -> None:
    with pytest.raises(SectionNameError) as caught:
        parse_section_name(text)
    assert caught.value.evidence == evidence


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("xdp", None),
        ("tcx/ingress", None),
        ("tc", 'section "tc": "tc" is a legacy name, write "tcx/ingress" or "tcx/egress"'),
        (
            "action/drop",
            'section "action/drop": "action" is a legacy name, write "tcx/ingress" or "tcx/egress"',
        ),
    ],
)
def test_legacy_names_load_with_a_warning(text: str, warning: str | None) -> None:
    assert parse_section_name(text).warning == warning


def test_a_type_that_somebody_chose_is_not_what_the_author_wrote() -> None:
    assert retyped("fentry/f", BY_NAME["tc"]).warning is None
    assert retyped("tc/x", BY_NAME["tc"]).warning is not None


@pytest.mark.parametrize(
    ("text", "target", "problem"),
    [
        ("kprobe/", None, "lacks its target: kprobe/FUNCTION[+OFFSET]"),
        ("?tp/cat", None, "does not have the form tp/CATEGORY/NAME: the event name is missing"),
        ("usdt/a", None, "does not have the form usdt/BINARY:PROVIDER:NAME: "),
        ("fentry/a-b", "a-b", "does not have the form fentry/[MODULE:]FUNCTION: "),
        ("fentry/", None, "lacks its target: fentry/[MODULE:]FUNCTION"),
    ],
)
def test_a_slip_in_a_target_loads_with_a_warning(
    text: str, target: str | None, problem: str
) -> None:
    found = parse_section_name(text)
    assert found.target == target
    assert found.warning is not None
    assert found.warning.startswith(f'section "{text}" {problem}')


def test_an_endless_name_is_refused_quickly() -> None:
    with pytest.raises(SectionNameError, match="too long") as caught:
        parse_section_name("x" * 1_000_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("name", "target", "problem"),
    [
        ("kprobe", "f+12", None),
        ("kprobe", "f+0x1F", None),
        ("kprobe", "f.isra.0", None),
        ("kprobe", "f+", "'' is no offset"),
        ("kprobe", "f+0x", "'0x' is no offset"),
        ("kprobe", "f+1g", "'1g' is no offset"),
        ("kprobe", "+4", "the function is missing"),
        ("kprobe", "f g", "the function cannot contain ' '"),
        ("kretprobe", "f+4", "the function cannot contain '+'"),
        ("kprobe.multi", "tcp_*_x?", None),
        ("kprobe.multi", "a;b", "the pattern cannot contain ';'"),
        ("ksyscall", "open/at", "the system call cannot contain '/'"),
        ("tp", "a/b/c", "the event name cannot contain '/'"),
        ("tp", "/b", "the category is missing"),
        ("tp", "a/", "the event name is missing"),
        ("raw_tp", "a/b", "the tracepoint cannot contain '/'"),
        ("fentry", "ext4:ext4_sync_file", None),
        ("fentry", ":f", "the module is missing"),
        ("fentry", "m:", "the function is missing"),
        ("fentry.multi", "ext4:ext4_*", None),
        ("lsm", "file-open", "the hook cannot contain '-'"),
        ("iter", "task/x", "the iterator cannot contain '/'"),
        ("uprobe", "libc.so.6:malloc@@GLIBC_2.2.5+0x4", None),
        ("uprobe", "/bin/a:0x1234", None),
        ("uprobe", "/bin/a", "what to probe in the binary is missing"),
        ("uprobe", ":f", "the binary is missing"),
        ("uprobe", "/bin/a:", "the function is missing"),
        ("uprobe", "/bin/a:f+x", "'x' is no offset"),
        ("uprobe", "/bin/a:f@", "the symbol version is missing"),
        ("uprobe.multi", "/bin/a:", "the pattern is missing"),
        ("usdt", "/bin/a:p:n", None),
        ("usdt", "/bin/a:p", "the probe's name is missing"),
        ("usdt", "/bin/a::n", "the provider is missing"),
        ("usdt", "/bin/a:p:n:m", "there is a colon too many"),
        ("xdp", "a//b", "a part of the label is missing"),
        ("xdp", "a b", "a part of the label cannot contain ' '"),
        ("sk_skb", "x", "nothing may follow"),
    ],
)
def test_the_form_of_a_target(name: str, target: str, problem: str | None) -> None:
    assert target_problem(BY_NAME[name].grammar, target) == problem
