"""Names of the functions, programs and maps that links refer to by number."""

from __future__ import annotations

from bpfctl.errors import BpfctlError
from bpfctl.kernel import info as kernel
from bpfctl.kernel.names import label
from bpfctl.kernel.uapi import ProgType
from bpfctl.objects.btf import loaded_btf
from bpfctl.objects.ids import ObjectKind, open_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.objects.link_kinds import Tracing


def prog_type(prog_id: int) -> str | int | None:
    """Return the type of a program in bpftool's words; None where it cannot be read."""
    try:
        with open_id(ObjectKind.PROG, prog_id) as fd:
            return label(ProgType, kernel.prog_info(fd).number("type") or 0)
    except BpfctlError:
        return None


def map_words(map_id: int) -> str:
    """Return "map 12 routes", without the name where it has none or cannot be read."""
    try:
        with open_id(ObjectKind.MAP, map_id) as fd:
            name = kernel.map_info(fd).text("name")
    except BpfctlError:
        name = ""
    return f"map {map_id} {name}".rstrip()


def function_target(prog_id: int, tracing: Tracing, kind: str | int | None) -> str:
    """Name the function that a tracing link is on, with the module or program it belongs to.

    The kernel tells an id without saying of what (bpf_trampoline_unpack_key,
    include/linux/bpf_verifier.h, Linux 5.13): of a program for freplace, and for tracing where
    the program says that its target's types are another object's; of a BTF object otherwise.
    """
    if not tracing.target_btf_id:  # before Linux 5.13
        return "(this kernel does not tell the function)"
    try:
        btf_id = _target_btf(prog_id)
        if kind != "ext" and btf_id in (0, tracing.target_obj_id):
            return _in_btf(tracing.target_obj_id, tracing.target_btf_id)
        return _in_program(tracing.target_obj_id, tracing.target_btf_id)
    except BpfctlError:
        return f"function of BTF type {tracing.target_btf_id} in object {tracing.target_obj_id}"


def _target_btf(prog_id: int) -> int:
    with open_id(ObjectKind.PROG, prog_id) as fd:
        return kernel.prog_info(fd).number("attach_btf_obj_id") or 0


def _in_btf(btf_id: int, type_id: int) -> str:
    with open_id(ObjectKind.BTF, btf_id) as fd:
        module = kernel.btf_info(fd)[1]
    name = loaded_btf(btf_id).name(type_id)
    return name if module in ("", "vmlinux") else f"{name} [{module}]"


def _in_program(prog_id: int, type_id: int) -> str:
    with open_id(ObjectKind.PROG, prog_id) as fd:
        info = kernel.prog_info(fd)
        btf_id, name = info.number("btf_id") or 0, info.text("name")
    return f"{loaded_btf(btf_id).name(type_id)} of program {prog_id} {name}".rstrip()
