"""Requests about links and attached programs."""

from __future__ import annotations

import struct

from bpfctl.kernel.request import Attr, Descriptor, descriptor
from bpfctl.kernel.uapi import Cmd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.kernel.request import Buffer


def raw_tracepoint_open(name: str, prog_fd: Descriptor, *, cookie: int = 0) -> Attr:
    """Ask to run a program at a raw tracepoint.

    Without a name the program knows its target since it was loaded: tp_btf, fentry, fexit,
    fmod_ret, LSM, freplace. The call returns a link's descriptor. `cookie` is what
    bpf_get_attach_cookie returns in the program (Linux 6.10, not for fentry and its like).
    """
    attr = Attr(Cmd.RAW_TRACEPOINT_OPEN, f"attach to raw tracepoint {name}" if name else "attach")
    pointer = attr.text(name) if name else 0
    attr.set("raw_tracepoint", name=pointer, prog_fd=descriptor(prog_fd), cookie=cookie)
    return attr


def link_create(
    *,
    prog_fd: Descriptor,
    attach_type: int,
    target_fd: Descriptor = 0,
    target_ifindex: int = 0,
    flags: int = 0,
    target_btf_id: int = 0,
    doing: str = "create link",
) -> Attr:
    """Ask for a link; the call returns its descriptor. Further fields: the functions below."""
    attr = Attr(Cmd.LINK_CREATE, doing)
    attr.set(
        "link_create",
        prog_fd=descriptor(prog_fd),
        target_fd=target_ifindex or descriptor(target_fd),
        attach_type=attach_type,
        flags=flags,
        target_btf_id=target_btf_id,
    )
    return attr


def with_iterator(attr: Attr, info: Buffer) -> Attr:
    """Add an iterator's parameters: a packed `union bpf_iter_link_info`."""
    attr.set("link_create", iter_info=attr.pointer(info), iter_info_len=len(info))
    return attr


def with_perf_cookie(attr: Attr, cookie: int) -> Attr:
    """Add what bpf_get_attach_cookie returns in a program on a perf event (Linux 5.15)."""
    attr.set("link_create.perf_event", bpf_cookie=cookie)
    return attr


def with_function(attr: Attr, *, btf_id: int = 0, cookie: int = 0) -> Attr:
    """Add the function a tracing program is put on and its cookie (Linux 5.19)."""
    attr.set("link_create.tracing", target_btf_id=btf_id, cookie=cookie)
    return attr


def with_functions(
    attr: Attr,
    *,
    names: Sequence[str] = (),
    addresses: Sequence[int] = (),
    cookies: Sequence[int] = (),
    flags: int = 0,
) -> Attr:
    """Add the kernel's functions of a kprobe_multi link, by names or by addresses (Linux 5.18)."""
    encoded = [attr.text(name) for name in names]
    attr.set(
        "link_create.kprobe_multi",
        flags=flags,
        cnt=len(names) or len(addresses),
        syms=attr.numbers(encoded),
        addrs=attr.numbers(addresses),
        cookies=attr.numbers(cookies),
    )
    return attr


def with_types(attr: Attr, btf_ids: Sequence[int], *, cookies: Sequence[int] = ()) -> Attr:
    """Add the functions of a tracing_multi link, by the kernel's types of them (Linux 7.2)."""
    attr.set(
        "link_create.tracing_multi",
        ids=attr.pointer(struct.pack(f"={len(btf_ids)}I", *btf_ids)),
        cookies=attr.numbers(cookies),
        cnt=len(btf_ids),
    )
    return attr


def with_file_places(
    attr: Attr,
    path: str,
    offsets: Sequence[int],
    *,
    cookies: Sequence[int] = (),
    ref_ctr_offsets: Sequence[int] = (),
    flags: int = 0,
    pid: int = 0,
) -> Attr:
    """Add the places of a uprobe_multi link, offsets into a file (Linux 6.6)."""
    attr.set(
        "link_create.uprobe_multi",
        path=attr.text(path),
        offsets=attr.numbers(offsets),
        ref_ctr_offsets=attr.numbers(ref_ctr_offsets),
        cookies=attr.numbers(cookies),
        cnt=len(offsets),
        flags=flags,
        pid=pid,
    )
    return attr


def with_neighbour(
    attr: Attr, part: str, *, relative: Descriptor = 0, expected_revision: int = 0
) -> Attr:
    """Add where among others a program goes: `part` is "tcx", "netkit" or "cgroup".

    `relative` is an id or a descriptor, as the flags say (BPF_F_ID, BPF_F_LINK).
    """
    attr.set(
        f"link_create.{part}",
        relative_fd=descriptor(relative),
        expected_revision=expected_revision,
    )
    return attr


def link_detach(link_fd: Descriptor) -> Attr:
    """Ask to detach a link by force; the link object stays until its last holder goes."""
    attr = Attr(Cmd.LINK_DETACH, "detach link")
    attr.set("link_detach", link_fd=descriptor(link_fd))
    return attr


def link_update(
    link_fd: Descriptor, new_prog_fd: Descriptor, *, flags: int = 0, old_prog_fd: Descriptor = 0
) -> Attr:
    """Ask that a link runs another program."""
    attr = Attr(Cmd.LINK_UPDATE, "update link")
    attr.set(
        "link_update",
        link_fd=descriptor(link_fd),
        new_prog_fd=descriptor(new_prog_fd),
        flags=flags,
        old_prog_fd=descriptor(old_prog_fd),
    )
    return attr


def iter_create(link_fd: Descriptor) -> Attr:
    """Ask for a descriptor that runs an iterator when it is read."""
    attr = Attr(Cmd.ITER_CREATE, "create iterator")
    attr.set("iter_create", link_fd=descriptor(link_fd))
    return attr


class ProgQuery(Attr):
    """A request for what is attached; the results are properties after the call."""

    @property
    def count(self) -> int:
        """Return how many programs are attached, which may be more than the buffers hold."""
        return int(self.union.query.count)

    @property
    def attach_flags(self) -> int:
        """Return the flags of the attach point (BPF_F_ALLOW_OVERRIDE, BPF_F_ALLOW_MULTI)."""
        return int(self.union.query.attach_flags)

    @property
    def revision(self) -> int:
        """Return the revision of the attach point, 0 where it has none."""
        return int(self.union.query.revision)


def prog_query(
    *,
    attach_type: int,
    target_fd: Descriptor = 0,
    target_ifindex: int = 0,
    query_flags: int = 0,
    prog_ids: bytearray | None = None,
    prog_attach_flags: bytearray | None = None,
    link_ids: bytearray | None = None,
    doing: str = "query attached programs",
) -> ProgQuery:
    """Ask what is attached to a cgroup or interface; buffers hold 4 bytes for each program.

    The revision is written back since Linux 6.6 (kernel/bpf/mprog.c) without a look at the size.
    """
    attr = ProgQuery(Cmd.PROG_QUERY, doing, through="query.revision")
    attr.set(
        "query",
        target_fd=target_ifindex or descriptor(target_fd),
        attach_type=attach_type,
        query_flags=query_flags,
        prog_ids=attr.pointer(prog_ids),
        prog_cnt=len(prog_ids) // 4 if prog_ids else 0,
        prog_attach_flags=attr.pointer(prog_attach_flags),
        link_ids=attr.pointer(link_ids),
    )
    return attr


def prog_attach(
    *,
    attach_type: int,
    target_fd: Descriptor = 0,
    target_ifindex: int = 0,
    prog_fd: Descriptor,
    attach_flags: int = 0,
    replace_fd: Descriptor = 0,
    relative_id: int = 0,
    expected_revision: int = 0,
    doing: str = "attach program",
) -> Attr:
    """Ask to attach a program without a link (cgroups, sockmaps, since Linux 6.6 interfaces)."""
    attr = Attr(Cmd.PROG_ATTACH, doing)
    attr.set(
        target_fd=target_ifindex or descriptor(target_fd),
        attach_bpf_fd=descriptor(prog_fd),
        attach_type=attach_type,
        attach_flags=attach_flags,
        replace_bpf_fd=descriptor(replace_fd),
        relative_id=relative_id,
        expected_revision=expected_revision,
    )
    return attr


def prog_detach(
    *,
    attach_type: int,
    target_fd: Descriptor = 0,
    target_ifindex: int = 0,
    prog_fd: Descriptor = 0,
    doing: str = "detach program",
) -> Attr:
    """Ask to detach a program that was attached without a link."""
    attr = Attr(Cmd.PROG_DETACH, doing)
    attr.set(
        target_fd=target_ifindex or descriptor(target_fd),
        attach_bpf_fd=descriptor(prog_fd),
        attach_type=attach_type,
    )
    return attr
