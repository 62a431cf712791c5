"""Functions of loaded programs as targets: freplace, and fentry and fexit on another program.

Source: attach_prog_fd of BPF_PROG_LOAD, Linux 5.5 (tracing) and 5.6 (freplace).
"""

from __future__ import annotations

from bpfctl.btf.types import Kind
from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import NotFoundError, UsageError
from bpfctl.loader.attach_target import Target, find_target, not_chosen
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import ExitStack

    from bpfctl.elf.sections import SectionName
    from bpfctl.elf.spec import ProgramSpec
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.attach_target import TargetWish
    from bpfctl.loader.kernel_btf import KernelBtf
    from bpfctl.loader.struct_ops import Use
    from bpfctl.objects.select import Selector

EVERY = ""  # the wish for all programs that have none of their own


class Targets:
    """The targets of an object's programs: what their sections say, unless somebody chose others.

    `resources` keeps open what targets are in: programs, and the types of modules. `members` are
    the programs of struct_ops by their names.
    """

    def __init__(
        self,
        kernel: KernelBtf,
        wishes: Mapping[str, TargetWish],
        resources: ExitStack,
        members: Mapping[str, Use] | None = None,
    ) -> None:
        self._kernel = kernel
        self._members = members or {}
        self._wishes = wishes
        self._resources = resources
        self._programs: dict[Selector, Fd] = {}
        self._modules: dict[int, Fd] = {}

    def of(self, program: ProgramSpec) -> Target:
        """The target of one program.

        Raises: NotFoundError for a target that is not there or was not chosen, NotSupportedError,
        AmbiguousError and SyscallError for a program that cannot be opened.
        """
        section = program.section
        use = self._members.get(program.name)
        if use:
            return self._opened(
                Target(use.type_id, use.module.id if use.module else 0, member=use.member)
            )
        if section.kind is AttachKind.STRUCT_OPS:
            raise NotFoundError(
                "nothing says which function of which struct it is to be",
                code="attach-target-not-chosen",
                program=program.name,
                remedy="name it in a variable of section .struct_ops or .struct_ops.link",
            )
        if not section.definition.btf_target:
            return Target()
        wish = self._wishes.get(program.name) or self._wishes.get(EVERY)
        if wish and wish.program:
            return self._in_program(wish.program, wish.function or section.target, section)
        if wish:
            section = replace(section, target=wish.function)
        return self._opened(find_target(section, self._kernel))

    def _opened(self, found: Target) -> Target:
        if not found.btf_obj_id:
            return found
        return found._replace(btf_obj_fd=self._module(found.btf_obj_id))

    def _in_program(self, program: Selector, function: str | None, section: SectionName) -> Target:
        from bpfctl.objects.select import find_one

        if function is None:
            raise not_chosen(section)
        if program not in self._programs:
            self._programs[program] = self._resources.enter_context(find_one(program))
        fd = self._programs[program]
        return Target(function_of(fd, function), prog_fd=fd.fileno())

    def _module(self, btf_id: int) -> int:
        from bpfctl.objects.ids import ObjectKind, open_id

        if btf_id not in self._modules:
            fd = open_id(ObjectKind.BTF, btf_id)
            self._modules[btf_id] = self._resources.enter_context(fd)
        return self._modules[btf_id].fileno()


def refuse_idle_wishes(wishes: Mapping[str, TargetWish], programs: Iterable[ProgramSpec]) -> None:
    """Refuse a wish for a program that is not loaded or takes no target.

    Raises: NotFoundError, UsageError.
    """
    takes = {one.name: one.section.definition.btf_target for one in programs}
    for name in wishes:
        if name != EVERY and name not in takes:
            raise NotFoundError(f"no program {name} to choose a target for is loaded")
        if not takes.get(name, any(takes.values())):
            who = f"program {name} takes no" if name else "no program of the object takes a"
            raise UsageError(
                f"{who} target when it loads",
                remedy="only fentry, fexit, fmod_ret, freplace, lsm, iter and tp_btf do",
            )


def function_of(program: Fd, function: str) -> int:
    """The type id of a function of a loaded program, in that program's type information.

    Raises: NotFoundError when it has no type information or no such function, SyscallError.
    """
    import difflib

    from bpfctl.kernel.info import prog_info
    from bpfctl.objects.btf import loaded_btf

    info = prog_info(program)
    label = f"program {info.number('id')} {info.text('name')}".rstrip()
    btf_id = info.number("btf_id")
    if not btf_id:
        raise NotFoundError(
            f"{label} has no type information, so that nothing can attach to its functions",
            code="attach-target-missing",
        )
    btf = loaded_btf(btf_id)
    found = btf.find(function, Kind.FUNC)
    if found is not None:
        return found
    names = [btf.name(one) for one in range(1, len(btf)) if btf.kind_number(one) == Kind.FUNC]
    near = difflib.get_close_matches(function, names) or names[:5]
    raise NotFoundError(
        f'{label} has no function "{function}"',
        code="attach-target-missing",
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )
