"""What a kernel does not know, by its own types and by what it answers."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.errors import SyscallError, VerifierError
from bpfctl.explain import attr_room, unknown
from bpfctl.explain.attr_room import measure_attr
from bpfctl.explain.explanation import Explanation, Outcome
from bpfctl.explain.failure import Failure
from bpfctl.explain.kernel_types import knows_field, values_of
from bpfctl.explain.program_length import too_long
from bpfctl.features import maps, programs
from bpfctl.features.verdict import available, not_available
from bpfctl.features.verdict import unknown as cannot_tell
from bpfctl.kernel.attr import link_create, map_create, prog_load
from bpfctl.kernel.bpf import bpf, replaced
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.request import Attr
from bpfctl.kernel.uapi import AttachType, Cmd, MapType, ProgType
from bpfctl.loader.kernel_btf import KernelBtf

if TYPE_CHECKING:
    from pathlib import Path

    from bpfctl.btf.decode import Btf


def failure(attr: Attr, kernel: KernelBtf, number: int = errno.EINVAL) -> Failure:
    with replaced(lambda *_: -number), pytest.raises(SyscallError) as caught:
        bpf(attr)
    caught.value.knowing(kernel)
    return Failure(caught.value)


def enum(offset: int, name: str, *values: str) -> t.Enum:
    pairs = tuple(t.EnumValue(value, at) for at, value in enumerate(values))
    return t.Enum(offset, name, 4, False, (*pairs, t.EnumValue(f"__MAX_{name}", len(values))))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> KernelBtf:
    """Return the types of a kernel that knows little of bpf(2)."""
    builder = BtfBuilder()
    builder.add(enum(1, "bpf_cmd", "BPF_MAP_CREATE", "BPF_MAP_LOOKUP_ELEM"))
    builder.add(enum(2, "bpf_map_type", "BPF_MAP_TYPE_UNSPEC", "BPF_MAP_TYPE_HASH"))
    builder.add(enum(3, "bpf_prog_type", "BPF_PROG_TYPE_UNSPEC", "BPF_PROG_TYPE_SOCKET_FILTER"))
    builder.add(enum(4, "bpf_attach_type", "BPF_CGROUP_INET_INGRESS"))
    builder.add(t.Int(5, "unsigned int", 4, t.IntEncoding(0), 0, 32))
    inside = (t.Member("map_type", 5, 0), t.Member("key_size", 5, 32))
    builder.add(t.Struct(6, "", 8, inside))
    builder.add(t.Struct(7, "", 4, (t.Member("target_btf_id", 5, 0),)))
    members = (t.Member("", 6, 0), t.Member("link_create", 7, 0))
    builder.add(t.Struct(8, "bpf_attr", 8, members, is_union=True))
    path = tmp_path_factory.mktemp("types") / "vmlinux"
    path.write_bytes(builder.build())
    return KernelBtf(str(path))


UNREAD = KernelBtf("/nonexistent")


def words(found: Explanation | None) -> tuple[str, str, str | None] | None:
    if found is None:
        return None
    assert found.outcome is Outcome.LACKING
    return found.code, found.headline, found.since


def test_a_command(kernel: KernelBtf) -> None:
    attr = Attr(Cmd.TOKEN_CREATE, "x")
    found = unknown.command(failure(attr, kernel))
    assert words(found) == ("command-unknown", "command BPF_TOKEN_CREATE of bpf(2)", "6.9")
    assert found is not None
    assert found.evidence == ("its enum bpf_cmd has no value 36: it ends with BPF_MAP_LOOKUP_ELEM",)
    assert unknown.command(failure(Attr(Cmd.MAP_CREATE, "x"), kernel)) is None
    assert unknown.command(failure(attr, UNREAD)) is None
    assert unknown.command(failure(attr, kernel, errno.EPERM)) is None


def new_map(kind: MapType = MapType.ARENA) -> Attr:
    return map_create(map_type=kind, key_size=4, value_size=4, max_entries=1)


def test_a_map_type_by_the_list(kernel: KernelBtf) -> None:
    found = unknown.map_type(failure(new_map(), kernel))
    assert words(found) == ("map-type-unsupported", "maps of type arena", "6.9")


@pytest.mark.parametrize(
    ("verdict", "evidence", "since"),
    [
        pytest.param(
            not_available("the kernel answers EINVAL", errno.EINVAL, "6.9"),
            "the smallest of them is refused: the kernel answers EINVAL",
            "6.9",
            id="refused",
        ),
        pytest.param(
            not_available("CONFIG_X is not set", errno.EINVAL, "6.9"),
            "CONFIG_X is not set",
            None,
            id="not built",
        ),
    ],
)
def test_a_map_type_by_making_one(
    verdict: Any, evidence: str, since: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "probe_map_type", lambda prober, kind: verdict)
    found = unknown.map_type(failure(new_map(), UNREAD))
    assert words(found) == ("map-type-unsupported", "maps of type arena", since)
    assert found is not None
    assert found.evidence == (evidence,)


@pytest.mark.parametrize("verdict", [available("6.9"), cannot_tell("EPERM")])
def test_a_map_type_that_may_be_there(verdict: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "probe_map_type", lambda prober, kind: verdict)
    assert unknown.map_type(failure(new_map(), UNREAD)) is None


def test_links_of_struct_ops(kernel: KernelBtf) -> None:
    attr = new_map(MapType.STRUCT_OPS)
    assert unknown.struct_ops_link(failure(attr, kernel)) is None
    attr.set(map_flags=MapFlags.LINK)
    found = unknown.struct_ops_link(failure(attr, kernel))
    what = 'links of struct_ops maps, which SEC(".struct_ops.link") asks for'
    assert words(found) == ("map-flag-refused", what, "6.4")
    assert found is not None
    remedy = 'use Linux 6.4 or later; or SEC(".struct_ops"), which is attached until its map goes'
    assert found.remedy == remedy
    assert unknown.struct_ops_link(failure(attr, UNREAD)) is None
    assert unknown.struct_ops_link(failure(attr, kernel, errno.EPERM)) is None
    attr.set(map_type=MapType.HASH)
    assert unknown.struct_ops_link(failure(attr, kernel)) is None


def new_program(kind: int, attach: AttachType | None = None) -> Attr:
    code, at = bytes(16), attach or 0
    return prog_load(prog_type=kind, insns=code, license="GPL", name="x", expected_attach_type=at)


def test_a_program_type(kernel: KernelBtf, monkeypatch: pytest.MonkeyPatch) -> None:
    found = unknown.program_type(failure(new_program(ProgType.NETFILTER), kernel))
    assert words(found) == ("program-type-unsupported", "programs of type netfilter", "6.4")
    answers = iter([not_available("no", errno.EINVAL, "6.4"), available("6.4")])
    monkeypatch.setattr(programs, "probe_program", lambda prober, probe: next(answers))
    one = failure(new_program(ProgType.NETFILTER), UNREAD)
    assert words(unknown.program_type(one)) is not None
    assert unknown.program_type(one) is None
    assert unknown.program_type(failure(new_program(99), UNREAD)) is None


def test_an_attach_type(kernel: KernelBtf) -> None:
    attr = new_program(ProgType.XDP, AttachType.XDP_DEVMAP)
    found = unknown.attach_type(failure(attr, kernel))
    assert words(found) == ("attach-type-unsupported", "attach type xdp_devmap", "5.8")
    link = link_create(prog_fd=9, attach_type=AttachType.NETKIT_PEER)
    found = unknown.attach_type(failure(link, kernel))
    assert words(found) == ("attach-type-unsupported", "attach type netkit_peer", "6.7")
    other = new_program(ProgType.XDP, AttachType.CGROUP_INET_INGRESS)  # no kernel has that
    assert unknown.attach_type(failure(other, kernel)) is None
    assert unknown.attach_type(failure(link, UNREAD)) is None
    assert unknown.attach_type(failure(new_map(), kernel)) is None


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        pytest.param(
            not_available("the kernel answers EINVAL", errno.EINVAL, "5.9"),
            ("attach-type-unsupported", "programs of type xdp for xdp_devmap", "5.9"),
            id="no",
        ),
        pytest.param(available("5.9"), None, id="yes"),
        pytest.param(cannot_tell("EPERM"), None, id="cannot tell"),
    ],
)
def test_an_attach_type_by_loading_one(
    verdict: Any, found: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "probe_program", lambda prober, probe: verdict)
    attr = new_program(ProgType.XDP, AttachType.XDP_DEVMAP)
    assert words(unknown.attach_type(failure(attr, UNREAD))) == found


def test_what_the_verifier_looked_at_is_of_a_known_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "probe_program", lambda prober, probe: not_available("no"))
    asked = failure(new_program(ProgType.XDP, AttachType.XDP_DEVMAP), UNREAD)
    error = VerifierError(errno.EINVAL, "load", "0: (95) exit\nR0 !read_ok\n")
    error.request = asked.request
    error.knowing(UNREAD)
    looked_at = Failure(error)
    assert unknown.program_type(looked_at) is None
    assert unknown.attach_type(looked_at) is None


def test_a_field_by_the_types(kernel: KernelBtf) -> None:
    attr = Attr(Cmd.MAP_CREATE, "x")
    attr.set(map_type=1, key_size=4, map_extra=7)
    found = unknown.field(failure(attr, kernel))
    assert words(found) == ("field-unknown", "field map_extra of BPF_MAP_CREATE", "5.16")
    assert unknown.field(failure(attr, UNREAD)) is None
    assert unknown.field(failure(attr, kernel, errno.EPERM)) is None


def test_a_field_by_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown, "measure_attr", lambda: 120)
    attr = Attr(Cmd.PROG_LOAD, "x")
    attr.set(prog_type=1, fd_array=4096)
    found = unknown.field(failure(attr, UNREAD, errno.E2BIG))
    assert words(found) == ("field-unknown", "field fd_array of BPF_PROG_LOAD", "5.14")
    assert found is not None
    assert found.evidence == ("the kernel takes 120 bytes of a request; fd_array ends at 128",)


@pytest.mark.parametrize("room", [1, 72, 120, 168])
def test_measuring(room: int) -> None:
    def answer(cmd: int, union: Any, size: int) -> int:
        return -errno.E2BIG if size > room else -errno.EINVAL

    with replaced(answer):
        measured = measure_attr()
    # Requests come in multiples of four bytes.
    assert measured is not None
    assert measured == room // 4 * 4


def test_measuring_what_does_not_answer() -> None:
    with replaced(lambda *_: -errno.EPERM):
        assert measure_attr() is None
    assert attr_room.measure_attr is measure_attr


def test_fields_in_structs_and_those_that_moved(kernel: KernelBtf) -> None:
    btf: Btf = kernel.btf
    assert knows_field(btf, "key_size") is True
    assert knows_field(btf, "link_create.target_btf_id") is True
    assert knows_field(btf, "link_create.tracing.target_btf_id") is True
    assert knows_field(btf, "link_create.tracing.cookie") is False


def test_types_without_bpf(tmp_path: Path) -> None:
    builder = BtfBuilder()
    builder.add(t.Int(1, "int", 4, t.IntEncoding(1), 0, 32))
    (tmp_path / "none").write_bytes(builder.build())
    btf = KernelBtf(str(tmp_path / "none")).btf
    assert knows_field(btf, "key_size") is None
    assert values_of(btf, "bpf_cmd") is None


@pytest.mark.parametrize(
    ("count", "capable", "message"),
    [
        pytest.param(10**6, True, None, id="as many as go"),
        pytest.param(
            10**6 + 1, True, "it has 1000001 instructions, and the kernel takes 1000000", id="more"
        ),
        pytest.param(
            5000,
            False,
            "it has 5000 instructions, and the kernel takes 4096 for a process without CAP_BPF",
            id="without rights",
        ),
    ],
)
def test_length(
    count: int, capable: bool, message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bpfctl.explain import program_length

    monkeypatch.setattr(program_length, "has_capability", lambda one: capable)
    attr = Attr(Cmd.PROG_LOAD, "x")
    attr.set(insn_cnt=count)
    found = too_long(failure(attr, UNREAD, errno.E2BIG))
    assert (found.headline if found else None) == message
    assert too_long(failure(attr, UNREAD)) is None
