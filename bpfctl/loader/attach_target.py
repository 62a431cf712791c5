"""What a program attaches to, for the types that need it when they load.

A target is a type: of the kernel, of one of its modules, or of a program that is loaded already.
"""

from __future__ import annotations

from bpfctl.btf.types import Kind
from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import NotFoundError
from bpfctl.kernel.uapi import AttachType
from bpfctl.plain import plain
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.sections import SectionName
    from bpfctl.errors import BpfctlError
    from bpfctl.loader.kernel_btf import KernelBtf
    from bpfctl.objects.select import Selector

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
_VMLINUX: Final = "vmlinux"
_SUGGESTIONS: Final = 3
_COMPARED: Final = 10  # some of the names are those of other things


@plain
class TargetWish:
    """What somebody wants a program to attach to instead of what its section says.

    `function` is the target's name ("do_unlinkat", "kvm:kvm_exit"), or with `program` that of a
    function of that loaded program ("": the one that the section names).
    """

    function: str
    program: Selector | None = None


class Target(NamedTuple):
    """A target as a load asks for it; all 0 where the load needs none.

    `btf_id` is its type: the kernel's own, or in the BTF object `btf_obj_id` (a module's, open as
    `btf_obj_fd`), or in that of the program open as `prog_fd`. `member` is the index of the member
    that a program of struct_ops implements.
    """

    btf_id: int = 0
    btf_obj_id: int = 0
    btf_obj_fd: int = 0
    prog_fd: int = 0
    member: int = 0


class _Place(NamedTuple):
    """Types to look for a target in, from the first id that is their own."""

    btf: Btf
    name: str
    obj_id: int

    def find(self, name: str, kind: Kind) -> int | None:
        found = self.btf.find_all(name, (kind,))
        return next((one for one in found if one >= self.btf.first_id), None)


def find_target(section: SectionName, kernel: KernelBtf) -> Target:
    """The type of the section's target, in the kernel or else in one of its modules.

    Raises: NotFoundError when neither has such a target or the section names none,
    NotSupportedError when the kernel shows no types.
    """
    if not section.definition.btf_target:
        return Target()
    if section.target is None or section.kind is AttachKind.EXT:
        raise not_chosen(section)
    found = look_up(section, kernel)
    if found is not None:
        return found
    module, _, target = section.target.rpartition(":")
    prefix, _, what = _stand_in(section)
    if module:
        raise _missing_in_module(kernel, module, target, what)
    raise _missing(similar_targets(section, kernel.btf), prefix, target, what)


def look_up(section: SectionName, kernel: KernelBtf) -> Target | None:
    """The type of the target that a section names, None where the types have none.

    Nothing but the types is looked at: they may be another kernel's than the running one's.
    """
    module, _, target = (section.target or "").rpartition(":")
    prefix, kind, _ = _stand_in(section)
    for place in _places(kernel, module):
        found = place.find(prefix + target, kind)
        if found is not None:
            return Target(found, place.obj_id)
    return None


def similar_targets(section: SectionName, btf: Btf) -> list[str]:
    """Targets of these types whose names resemble that of a section, the nearest first."""
    prefix, kind, _ = _stand_in(section)
    found = nearest_names(btf, prefix, (section.target or "").rpartition(":")[2])
    return [name for name in found if btf.find(prefix + name, kind)][:_SUGGESTIONS]


def type_name_of(section: SectionName) -> str:
    """What the type of a section's target is called ("bpf_lsm_file_open")."""
    return _stand_in(section)[0] + (section.target or "").rpartition(":")[2]


def _places(kernel: KernelBtf, module: str) -> Iterator[_Place]:
    """The kernel's types, then those of its modules, or of the one that is named."""
    if module in ("", _VMLINUX):
        yield _Place(kernel.btf, _VMLINUX, 0)
    if module != _VMLINUX:
        for one in kernel.modules:
            if module in ("", one.name):
                yield _Place(one.btf, one.name, one.id)


def _stand_in(section: SectionName) -> tuple[str, Kind, str]:
    if section.attach_type == AttachType.TRACE_RAW_TP:
        return _TRACEPOINT
    return _PREFIXES.get(section.kind, _FUNCTION)


def not_chosen(section: SectionName) -> NotFoundError:
    """Say that nothing tells what a program attaches to."""
    replaces = section.kind is AttachKind.EXT
    return NotFoundError(
        f'nothing says what to {"replace" if replaces else "attach to"} (SEC "{section.text}")',
        code="attach-target-not-chosen",
        remedy="name it with --target "
        + ("PROG:FUNCTION, the function of a loaded program" if replaces else "FUNCTION"),
    )


def _missing_in_module(kernel: KernelBtf, module: str, target: str, what: str) -> BpfctlError:
    if module != _VMLINUX and module not in [one.name for one in kernel.modules]:
        from bpfctl.loader.attach_missing import missing_module

        return missing_module(module, target)
    return NotFoundError(
        f'module {module} has no {what} "{target}"',
        code="attach-target-missing",
        evidence=[f"its type information has no {target}"],
    )


def _missing(near: list[str], prefix: str, target: str, what: str) -> BpfctlError:
    if not prefix:
        from bpfctl.loader.attach_missing import missing_function

        return missing_function(target, near)
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
