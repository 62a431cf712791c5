"""Asking the running kernel: what probes share, opened once and closed at the end."""

from __future__ import annotations

import errno
from functools import cached_property

from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.types import Enum, Int, Kind
from bpfctl.errors import BtfError
from bpfctl.kernel.attr import btf_load, map_create, prog_load
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import MapType
from bpfctl.linux.caps import Capability, has_capability, in_initial_user_namespace
from bpfctl.linux.memlock import MemlockLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from bpfctl.features.maps import MapProbe
    from bpfctl.kernel.attr import Attr, Buffer, ProgLoad
    from bpfctl.kernel.uapi import AttachType, ProgType

VMLINUX = "/sys/kernel/btf/vmlinux"
_LOG_BYTES = 4096
_EXIT = bytes.fromhex("9500000000000000")

# call helper 0; r0 = 0; exit. The helper's number is bytes 4 to 7.
CALL = bytes.fromhex("8500000000000000b700000000000000") + _EXIT


def _return(value: int) -> bytes:
    """Return the smallest program there is: r0 = value; exit."""
    return bytes.fromhex("b7000000") + value.to_bytes(4, "little") + _EXIT


NOTHING = _return(0)


class Prober:
    """Makes small objects and lets them go at once; keeps one for the probes that need it.

    Every question is answered by the kernel's errno as a positive number, 0 for success, so that
    probes can tell "no" from "may not". With `ifindex` programs and maps are for that network
    device: for its hardware, unless the flags say otherwise.
    """

    def __init__(self, vmlinux: str = VMLINUX, *, ifindex: int = 0) -> None:
        self.vmlinux = vmlinux
        self._ifindex = ifindex
        self._kernel_btf: Btf | None = None
        self._looked = False
        self._storage_btf: Fd | None = None
        self.storage_errno = 0  # why `storage_btf` has none
        self._inner_map: Fd | None = None
        self.inner_errno = 0  # why `inner_map` has none
        self._log = bytearray(_LOG_BYTES)
        self._memlock = MemlockLimit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what is kept."""
        for kept in (self._storage_btf, self._inner_map):
            if kept is not None:
                kept.close()
        self._memlock.restore()

    def call(self, request: Attr) -> int:
        """Make a call and return its result or the negative errno.

        An EPERM may be the limit of locked memory's: it is lifted once, and the call repeated.
        """
        result = try_bpf(request)
        if result == -errno.EPERM and self._memlock.lift():
            result = try_bpf(request)
        return result

    @cached_property
    def privileged(self) -> bool:
        """Whether the kernel gives us the same answers as to root.

        Without CAP_BPF and CAP_PERFMON the verifier hides helpers and cuts limits with the errnos
        and words that otherwise mean "no such thing" (bpf_base_func_proto, Linux 6.18).
        """
        wanted = (Capability.BPF, Capability.PERFMON)
        return in_initial_user_namespace() is not False and all(
            has_capability(capability) is not False for capability in wanted
        )

    @property
    def kernel_btf(self) -> Btf | None:
        """The running kernel's type information, read once; None where there is none to read."""
        if not self._looked:
            self._looked = True
            try:
                with open(self.vmlinux, "rb") as file:
                    self._kernel_btf = Btf.parse(file.read(), path=self.vmlinux)
            except (OSError, BtfError):
                self._kernel_btf = None
        return self._kernel_btf

    @cached_property
    def attach_types(self) -> frozenset[str] | None:
        """The attach types this kernel knows ("BPF_XDP"); None where that cannot be read.

        Source: enum bpf_attach_type in its own type information.
        """
        btf = self.kernel_btf
        found = btf.find("bpf_attach_type", Kind.ENUM) if btf else None
        kinds = btf.type(found) if btf and found else None
        return frozenset(one.name for one in kinds.values) if isinstance(kinds, Enum) else None

    def target_id(self, names: tuple[str, ...]) -> int:
        """Return the id of the first function or typedef of these names, 0 without any."""
        btf = self.kernel_btf
        for name in names if btf else ():
            for found in btf.find_all(name, (Kind.FUNC, Kind.TYPEDEF)) if btf else ():
                return found
        return 0

    def request(
        self,
        prog_type: ProgType,
        code: Buffer,
        *,
        attach_type: AttachType | None = None,
        btf_id: int = 0,
        flags: int = 0,
    ) -> ProgLoad:
        """Make a request to load a program, with room for a log that is overwritten each time."""
        return prog_load(
            prog_type=prog_type,
            insns=code,
            license="GPL",
            expected_attach_type=attach_type or 0,
            attach_btf_id=btf_id,
            prog_flags=flags,
            prog_ifindex=self._ifindex,
            log_level=1,
            log_buf=self._log,
        )

    def ask(self, request: ProgLoad) -> tuple[int, bytes]:
        """Make a request and return its errno and the log; a program that loads is closed."""
        self._log[0] = 0
        result = self.call(request)
        if result >= 0:
            Fd(result).close()
        log = bytes(self._log[: max(self._log.find(b"\0"), 0)])
        # A log that does not fit is still a log: the verifier got to work.
        return (0 if result >= 0 or (result == -errno.ENOSPC and log) else -result), log

    def load(
        self,
        prog_type: ProgType,
        *,
        returns: int = 0,
        attach_type: AttachType | None = None,
        btf_id: int = 0,
        flags: int = 0,
        code: bytes = b"",
    ) -> tuple[int, str]:
        """Load a program that returns a number (or other `code`); give its errno and the log."""
        code = code or _return(returns)
        request = self.request(prog_type, code, attach_type=attach_type, btf_id=btf_id, flags=flags)
        number, log = self.ask(request)
        return number, log.decode("utf-8", "replace")

    def offer_call(self, request: ProgLoad, code: bytearray, helper: int) -> tuple[int, bytes]:
        """Offer a program that calls a helper; `request` was made of `code` (see `CALL`)."""
        code[4:8] = helper.to_bytes(4, "little")
        return self.ask(request)

    def lacking(self, how: MapProbe) -> int:
        """Return why what a map is made of cannot be made: an errno, 0 when it is there."""
        if how.storage and self.storage_btf() is None:
            return self.storage_errno
        if how.inner and self.inner_map() is None:
            return self.inner_errno
        return 0

    def create_map(self, kind: MapType | int, how: MapProbe) -> int:
        """Create a map as a probe says and close it; give the errno. See `lacking`."""
        btf = self.storage_btf() if how.storage else None
        inner = self.inner_map() if how.inner else None
        result = self.call(
            map_create(
                map_type=kind,
                key_size=how.key_size,
                value_size=how.value_size,
                max_entries=how.max_entries,
                map_flags=how.flags,
                btf_fd=btf or 0,
                btf_key_type_id=1 if btf else 0,
                btf_value_type_id=2 if btf else 0,
                btf_vmlinux_value_type_id=how.vmlinux_value,
                map_ifindex=self._ifindex,
                inner_map_fd=inner or 0,
            )
        )
        if result >= 0:
            Fd(result).close()
        return max(-result, 0)

    def inner_map(self) -> Fd | None:
        """Return a map to put into maps of maps, made once; None where it cannot be made."""
        if self._inner_map is None:
            request = map_create(map_type=MapType.HASH, key_size=4, value_size=4, max_entries=1)
            result = self.call(request)
            self._inner_map = Fd(result) if result >= 0 else None
            self.inner_errno = max(-result, 0)
        return self._inner_map

    def storage_btf(self) -> Fd | None:
        """Return loaded type information of a 4-byte key (id 1) and an 8-byte value (id 2)."""
        if self._storage_btf is None:
            result = self.call(btf_load(storage_types()))
            self._storage_btf = Fd(result) if result >= 0 else None
            self.storage_errno = max(-result, 0)
        return self._storage_btf


def storage_types() -> bytes:
    """Return type information of an int (id 1) and an unsigned long long (id 2)."""
    builder = BtfBuilder()
    builder.add(Int(1, "int", 4, 1, 0, 32))
    builder.add(Int(2, "unsigned long long", 8, 0, 0, 64))
    return builder.build()
