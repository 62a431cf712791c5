"""`bpfctl requires`: what an object needs of a kernel, and the first kernel that has it."""

from __future__ import annotations

from bpfctl.errors import UsageError

from .clean import clean
from .declare import Argument, Noun
from .load_options import Only, Skip  # noqa: TC001 - they are read when the command is
from .output import elements, json_array, write_text
from .render import Column, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    from bpfctl.check.requires import Requirement, Requirements

    from .context import Context
    from .declare import Call

app = Noun("List what objects need of a kernel, and the first that has it.")
_MOST_REASONS = 3
COLUMNS: tuple[Column[Requirement], ...] = (
    Column("KIND", lambda one: one.kind),
    Column("NAME", lambda one: one.name),
    Column("SINCE", lambda one: one.since),
    Column("NEEDED", lambda one: "guarded" if one.is_guarded else "yes"),
    Column("PROGRAMS", lambda one: one.programs, priority=1),
)


@app.command()
def requires(
    call: Call,
    objects: Annotated[list[str] | None, Argument(metavar="OBJ...", help="Object files.")] = None,
    only: Only = None,
    skip: Skip = None,
) -> None:
    """List what objects need of a kernel, and the first kernel that has it.

    The first kernel that may run the object is that of its youngest need. What is guarded (a weak
    symbol, code behind bpf_core_field_exists(), a program in a section that begins with "?") does
    not count. Types and functions of the kernel have no known first version: `bpfctl check --btf`
    tells which kernels have them. Distributions also add features to older kernels.
    """
    if not objects:
        raise UsageError("what do you want to know about? expected an object file")
    from bpfctl.check.check import subject_of
    from bpfctl.check.requires import requirements
    from bpfctl.elf.reader import read_object
    from bpfctl.loader.options import LoadOptions

    options = LoadOptions(programs=frozenset(only) if only else None, skip=frozenset(skip or ()))
    found = [requirements(subject_of(read_object(path), options)) for path in objects]
    if call.out.json:
        with json_array(call.out) as put:
            put(elements(call.out, [one.to_json() for one in found]))
    else:
        write_text("\n".join(_text(call.out, one) for one in found))


def _text(out: Context, found: Requirements) -> str:
    rows = table(out, found.needs, COLUMNS) if found.needs else ""
    text = f"{clean(found.path)}: {_headline(found)}\n{rows}"
    if found.undated:
        count = len(found.undated)
        words = "one of these has" if count == 1 else f"{count} of these have"
        text += f"{words} no known first version: bpfctl check --btf tells which kernels do\n"
    return text


def _headline(found: Requirements) -> str:
    if not found.minimum:
        return "nothing it needs came with a known version of Linux"
    reasons = [clean(f"{one.kind} {one.name}") for one in found.reasons if one.kind != "program"]
    reasons = reasons or [clean(f"programs of {one.name}") for one in found.reasons]
    more = len(reasons) - _MOST_REASONS
    words = ", ".join(reasons[:_MOST_REASONS]) + (f" and {more} more" if more > 0 else "")
    return f"Linux {found.minimum} or later, for {words}"
