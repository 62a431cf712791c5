"""`bpfctl gen`: write C that programs begin with."""

from __future__ import annotations

from bpfctl.errors import BpfctlError, UsageError
from bpfctl.plain_typing import Annotated

from .declare import Argument, Noun, Option
from .output import write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.btf.contexts import Context
    from bpfctl.btf.decode import Btf

    from .declare import Call

app = Noun("Write C that programs begin with, and types for old kernels.")

SECTIONS = 'Sections with their targets, as SEC("...") has them: fentry/do_unlinkat, lsm/file_open.'
_MIN_WORDS = 3
_Base = Annotated[
    str | None,
    Option("--btf", metavar="FILE", help="Types of another kernel than the running one."),
]


@app.command()
def ctx(
    words: Annotated[list[str] | None, Argument(metavar="SECTION...", help=SECTIONS)] = None,
    btf: _Base = None,
) -> None:
    """Write the contexts of programs as structs, for plain C instead of BPF_PROG().

    A program includes vmlinux.h first (`bpfctl btf dump kernel format c`).
    """
    from bpfctl.btf.c_program import contexts_text

    found = [_find(one, btf) for one in _sections(words)]
    text = "".join(contexts_text(types, [context]) for types, context in found)
    write_text(text.removeprefix("\n"))


@app.command()
def prog(
    words: Annotated[list[str] | None, Argument(metavar="SECTION", help=SECTIONS)] = None,
    btf: _Base = None,
) -> None:
    """Write a complete program for a section, which compiles and loads."""
    sections = _sections(words)
    if len(sections) > 1:
        raise UsageError("one program at a time: expected one SECTION")
    from bpfctl.btf.c_program import program_text

    write_text(program_text(*_find(sections[0], btf)))


@app.command("min_core_btf")
def min_core_btf(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(
            metavar="INPUT OUTPUT OBJECT...",
            help="A kernel's types (BTF or an ELF file), where to write, and object files.",
        ),
    ] = None,
) -> None:
    """Write of a kernel's types only what the CO-RE relocations of some objects look at.

    With the file (`prog load OBJECT PATH kernel_btf FILE`) they come out as with all types of that
    kernel: for kernels that have none of their own.
    """
    from .binary import write_file
    from .gen_min import min_btf
    from .output import write_done

    if words is None or len(words) < _MIN_WORDS:
        raise UsageError("expected INPUT, OUTPUT and at least one OBJECT")
    source, target, *objects = words
    write_file(target, min_btf(source, objects))
    write_done(call.out)


def _sections(words: Sequence[str] | None) -> Sequence[str]:
    if not words:
        raise UsageError("for which program? expected a section such as fentry/do_unlinkat")
    return words


def _find(section: str, path: str | None) -> tuple[Btf, Context]:
    """Find what programs of a section get.

    Raises: UsageError, NotFoundError, and what reading types raises.
    """
    from bpfctl.loader.contexts import section_context

    try:
        return section_context(section, path)
    except BpfctlError as err:
        err.within(subject=section)
        raise
