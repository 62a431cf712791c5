"""The BTF id of what a program attaches to, for the types that need it when they load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bpfctl.btf.types import Kind
from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import NotFoundError, NotYetError
from bpfctl.kernel.uapi import AttachType

if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf
    from bpfctl.elf.sections import SectionName
    from bpfctl.loader.kernel_btf import KernelBtf

# What the kernel calls the type that stands for a target. Sources: bpf_check_attach_target(),
# kernel/bpf/verifier.c (btf_trace_, Linux 5.5), include/linux/bpf.h DEFINE_BPF_ITER_FUNC (5.8),
# kernel/bpf/bpf_lsm.c (5.7).
_PREFIXES: Final = {
    AttachKind.ITER: ("bpf_iter_", Kind.FUNC, "iterator"),
    AttachKind.LSM: ("bpf_lsm_", Kind.FUNC, "LSM hook"),
    AttachKind.LSM_CGROUP: ("bpf_lsm_", Kind.FUNC, "LSM hook"),
}
_TRACEPOINT: Final = ("btf_trace_", Kind.TYPEDEF, "tracepoint")
_FUNCTION: Final = ("", Kind.FUNC, "function")
_SUGGESTIONS: Final = 3
_COMPARED: Final = 10  # some of the names are those of other things


def attach_btf_id(section: SectionName, kernel: KernelBtf) -> int:
    """The kernel's BTF id of the section's target; 0 when the load needs none.

    Raises: NotFoundError when the kernel has no such target, NotYetError for targets that are not
    in vmlinux, NotSupportedError when the kernel shows no types.
    """
    if not section.definition.btf_target:
        return 0
    target = section.target
    if section.kind is AttachKind.EXT:
        raise NotYetError(f'replacing a function of a loaded program (SEC "{section.text}")')
    if target is None:
        raise NotYetError(f'choosing the target of SEC "{section.text}" when the program loads')
    if ":" in target:
        raise NotYetError(f'a target in a kernel module (SEC "{section.text}")')
    prefix, kind, what = _stand_in(section)
    found = kernel.btf.find(prefix + target, kind)
    if found is None:
        raise _missing(kernel.btf, prefix, target, kind, what)
    return found


def _stand_in(section: SectionName) -> tuple[str, Kind, str]:
    if section.attach_type == AttachType.TRACE_RAW_TP:
        return _TRACEPOINT
    return _PREFIXES.get(section.kind, _FUNCTION)


def _missing(btf: Btf, prefix: str, target: str, kind: Kind, what: str) -> NotFoundError:
    similar = nearest_names(btf, prefix, target)
    near = [name for name in similar if btf.find(prefix + name, kind)][:_SUGGESTIONS]
    return NotFoundError(
        f'this kernel has no {what} "{target}"',
        code="attach-target-missing",
        evidence=[f"its type information has no {prefix}{target}"],
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )


def nearest_names(btf: Btf, prefix: str, target: str) -> list[str]:
    """The names in the kernel's types that begin with `prefix` and resemble `target`, without it.

    Without a prefix there are too many names to compare: those with the same first letters count.
    """
    import difflib

    start = btf.header.str_off
    strings = btf.data[start : start + btf.header.str_len]
    wanted = (prefix or target[:2]).encode()
    names = {
        one[len(prefix) :].decode("utf-8", "replace")
        for one in strings.split(b"\0")
        if one.startswith(wanted)
    }
    return difflib.get_close_matches(target, sorted(names), _COMPARED)
