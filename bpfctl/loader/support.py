"""Say what this version does not load, before anything is created."""

from __future__ import annotations

import sys

from bpfctl.errors import NotFoundError, ObjectFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.spec import ObjectSpec, ProgramSpec
    from bpfctl.loader.options import LoadOptions


def chosen_programs(spec: ObjectSpec, options: LoadOptions) -> list[ProgramSpec]:
    """The programs to load, in the order of the file.

    Raises: NotFoundError for a wanted program that the object does not have; ObjectFileError when
    two have the same name, for nothing could tell their pins apart.
    """
    _refuse_same_names(spec)
    names = {one.name for one in spec.programs}
    for name in sorted((options.programs or frozenset()) | options.skip):
        if name not in names:
            raise NotFoundError(
                f"no program is called {name}",
                subject=spec.path,
                remedy=f"programs in it: {', '.join(sorted(names))}" if names else None,
            )
    return [one for one in spec.programs if _is_chosen(one, options)]


def _is_chosen(program: ProgramSpec, options: LoadOptions) -> bool:
    if program.name in options.skip:
        return False
    if options.programs is None:
        return program.section.autoload
    return program.name in options.programs


def refuse_unknown(spec: ObjectSpec) -> None:
    """Raise for an object that no load on this machine can do. Raises: ObjectFileError."""
    if spec.btf and spec.btf.order != ("<" if sys.byteorder == "little" else ">"):
        raise ObjectFileError("compiled for the other byte order", path=spec.path)


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
