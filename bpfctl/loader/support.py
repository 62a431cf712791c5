"""Say what this version does not load, before anything is created."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bpfctl.elf.section_def import AttachKind
from bpfctl.elf.spec import RelocKind
from bpfctl.errors import NotFoundError, NotYetError, ObjectFileError
from bpfctl.loader.link_code import reachable
from bpfctl.loader.maps import refuse_unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.elf.spec import FunctionSpec, ObjectSpec, ProgramSpec
    from bpfctl.loader.options import LoadOptions


def chosen_programs(spec: ObjectSpec, options: LoadOptions) -> list[ProgramSpec]:
    """The programs to load, in the order of the file.

    Raises: NotFoundError for a wanted program that the object does not have; ObjectFileError when
    two have the same name, for nothing could tell their pins apart.
    """
    _refuse_same_names(spec)
    if options.programs is None:
        return [one for one in spec.programs if one.section.autoload]
    names = {one.name for one in spec.programs}
    for name in sorted(options.programs - names):
        raise NotFoundError(
            f"no program is called {name}",
            subject=spec.path,
            remedy=f"programs in it: {', '.join(sorted(names))}" if names else None,
        )
    return [one for one in spec.programs if one.name in options.programs]


def refuse_unknown(spec: ObjectSpec, programs: Sequence[ProgramSpec]) -> None:
    """Raise for whatever the chosen programs need and this version does not do.

    Raises: NotYetError naming the construct, ObjectFileError for the other byte order.
    """
    if spec.btf and spec.btf.order != ("<" if sys.byteorder == "little" else ">"):
        raise ObjectFileError("compiled for the other byte order", path=spec.path)
    for construct in spec.unsupported:
        raise NotYetError(construct, subject=spec.path)
    for one in spec.maps:
        refuse_unsupported(one)
    for program in programs:
        if program.section.kind is AttachKind.STRUCT_OPS:
            raise NotYetError("struct_ops programs", subject=spec.path, program=program.name)
        for function in reachable(spec, program.function):
            _refuse_externs(spec, program, function)


def _refuse_externs(spec: ObjectSpec, program: ProgramSpec, function: FunctionSpec) -> None:
    kinds = {one.name: one for one in spec.externs}
    for reloc in function.relocs:
        if reloc.kind is RelocKind.EXTERN:
            extern = kinds.get(reloc.target)
            weak = "weak " if extern and extern.is_weak else ""
            kind = f" ({weak}{extern.kind})" if extern else ""
            raise NotYetError(
                f"extern {reloc.target}{kind}", subject=spec.path, program=program.name
            )


def _refuse_same_names(spec: ObjectSpec) -> None:
    seen: dict[str, ProgramSpec] = {}
    for program in spec.programs:
        other = seen.setdefault(program.name, program)
        if other is not program:
            raise ObjectFileError(
                f"two programs are called {program.name}",
                code="duplicate-program-name",
                path=spec.path,
                section=program.section.text,
                evidence=[f'one is in "{other.section.text}", one in "{program.section.text}"'],
            )
