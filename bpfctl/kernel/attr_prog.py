"""Requests about programs and type information."""

from __future__ import annotations

from bpfctl.kernel.request import Attr, Descriptor, descriptor, object_name
from bpfctl.kernel.uapi import Cmd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bpfctl.kernel.request import Buffer

_INSN_BYTES = 8


class ProgLoad(Attr):
    """A request to load a program; `log_true_size` after the call is what the log needs."""

    @property
    def log_true_size(self) -> int:
        """Return the bytes the whole log takes, with its zero; 0 before Linux 6.4."""
        return int(self.union.log_true_size)


class BtfLoad(Attr):
    """A request to load type information; `log_true_size` as for programs."""

    @property
    def log_true_size(self) -> int:
        """Return the bytes the whole log takes, with its zero; 0 before Linux 6.4."""
        return int(self.union.btf_log_true_size)


def prog_load(
    *,
    insns: Buffer,
    license: str,  # noqa: A002 - the UAPI's name
    name: str = "",
    prog_btf_fd: Descriptor = 0,
    func_info: Buffer = b"",
    func_info_rec_size: int = 0,
    line_info: Buffer = b"",
    line_info_rec_size: int = 0,
    attach_prog_fd: Descriptor = 0,
    attach_btf_obj_fd: Descriptor = 0,
    fd_array: Sequence[Descriptor] = (),
    log_level: int = 0,
    log_buf: bytearray | None = None,
    doing: str = "",
    **numbers: int,
) -> ProgLoad:
    """Ask the verifier to take a program; the call returns its descriptor.

    `insns` is a multiple of 8 bytes. The info records are packed, `*_rec_size` bytes each.
    `log_buf` is filled with text that ends in a zero. `numbers` are other fields of the request by
    their names: prog_type, expected_attach_type, prog_flags, attach_btf_id and so on.
    """
    through = "log_true_size" if log_level else ""
    attr = ProgLoad(Cmd.PROG_LOAD, doing or f"load program {name}".rstrip(), through=through)
    attr.set(
        insn_cnt=len(insns) // _INSN_BYTES,
        insns=attr.pointer(insns),
        license=attr.text(license),
        prog_btf_fd=descriptor(prog_btf_fd),
        attach_prog_fd=descriptor(attach_prog_fd) or descriptor(attach_btf_obj_fd),
        **numbers,
    )
    attr.union.prog_name = list(object_name(name))
    _set_info(attr, "func_info", func_info, func_info_rec_size)
    _set_info(attr, "line_info", line_info, line_info_rec_size)
    if fd_array:
        packed = b"".join(descriptor(fd).to_bytes(4, "little") for fd in fd_array)
        attr.set(fd_array=attr.pointer(packed))
    if log_level:
        size = len(log_buf) if log_buf is not None else 0
        attr.set(log_level=log_level, log_size=size, log_buf=attr.pointer(log_buf))
    return attr


def _set_info(attr: Attr, name: str, records: Buffer, record_bytes: int) -> None:
    if records and record_bytes:
        attr.set(
            **{
                name: attr.pointer(records),
                f"{name}_cnt": len(records) // record_bytes,
                f"{name}_rec_size": record_bytes,
            }
        )


def btf_load(
    data: Buffer, *, log_level: int = 0, log_buf: bytearray | None = None, doing: str = ""
) -> BtfLoad:
    """Ask the kernel to take type information; the call returns its descriptor."""
    through = "btf_log_true_size" if log_level else ""
    attr = BtfLoad(Cmd.BTF_LOAD, doing or "load type information", through=through)
    attr.set(btf=attr.pointer(data), btf_size=len(data))
    if log_level:
        size = len(log_buf) if log_buf is not None else 0
        attr.set(btf_log_level=log_level, btf_log_size=size, btf_log_buf=attr.pointer(log_buf))
    return attr


def prog_bind_map(prog_fd: Descriptor, map_fd: Descriptor) -> Attr:
    """Ask that a program keeps a map it does not refer to (Linux 5.10)."""
    attr = Attr(Cmd.PROG_BIND_MAP, "bind a map to a program")
    attr.set("prog_bind_map", prog_fd=descriptor(prog_fd), map_fd=descriptor(map_fd))
    return attr


class ProgTestRun(Attr):
    """A request to run a program once; `retval` after the call is what it returned."""

    @property
    def retval(self) -> int:
        """Return the program's return value."""
        return int(self.union.test.retval)

    @property
    def duration_ns(self) -> int:
        """Return the mean time of a run."""
        return int(self.union.test.duration)

    @property
    def data_size_out(self) -> int:
        """Return how many bytes of data there are now, also where `data_out` is shorter."""
        return int(self.union.test.data_size_out)

    @property
    def ctx_size_out(self) -> int:
        """Return how many bytes of context there are now."""
        return int(self.union.test.ctx_size_out)


def prog_test_run(
    prog_fd: Descriptor,
    *,
    data_in: Buffer = b"",
    data_out: Any = None,
    ctx_in: Buffer = b"",
    ctx_out: Any = None,
    flags: int = 0,
    cpu: int = 0,
    repeat: int = 0,
) -> ProgTestRun:
    """Ask to run a program on given data or context."""
    attr = ProgTestRun(Cmd.PROG_TEST_RUN, "run a program")
    attr.set(
        "test",
        prog_fd=descriptor(prog_fd),
        data_in=attr.pointer(data_in),
        data_size_in=len(data_in),
        data_out=attr.pointer(data_out),
        data_size_out=len(data_out) if data_out is not None else 0,
        ctx_in=attr.pointer(ctx_in),
        ctx_size_in=len(ctx_in),
        ctx_out=attr.pointer(ctx_out),
        ctx_size_out=len(ctx_out) if ctx_out is not None else 0,
        flags=flags,
        cpu=cpu,
        repeat=repeat,
    )
    return attr
