"""`bpfctl why`: why a program does not run."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.objects.ids import ObjectKind

from .chosen import open_one
from .clean import clean
from .declare import Argument, Noun, Option
from .output import write_json, write_text
from .selectors import parse_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Annotated

    from bpfctl.explain.why import Why

    from .declare import Call

app = Noun("Say why a program does not run.")
_MOST_SECONDS = 3600.0


@app.command()
def why(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="PROG", help="`id N`, `name NAME`, `tag TAG` or `pinned PATH`."),
    ] = None,
    seconds: Annotated[
        str,
        Option("--for", metavar="SECONDS", help="How long runs are counted (1); 0: not at all."),
    ] = "1",
) -> None:
    """Say why a program does not run, or that it does.

    It looks for links, interfaces, filters of tc, cgroups, perf events and maps that run the
    program, and says what is wrong with each: an interface that is down, an empty cgroup, an LSM
    program while "bpf" is no active LSM, a link whose target is gone. Then runs are counted for a
    second (BPF_ENABLE_STATS): a count of 0 before that is no evidence, and is not taken for any.
    """
    from bpfctl.explain.why import why as explain

    out, duration = call.out, _duration(seconds)
    with open_one(parse_selector(words or [], ObjectKind.PROG)) as prog:
        answer = explain(prog, duration)
    if out.json:
        write_json(out, answer.to_json())
    else:
        write_text("".join(f"{line}\n" for line in _lines(answer)))


def _duration(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _MOST_SECONDS:
        message = f'"{text}" is no time: expected seconds, from 0 to {_MOST_SECONDS:g}'
        raise UsageError(message)
    return value


def _lines(answer: Why) -> Iterator[str]:
    """Yield the answer, the evidence, what it could be, and what to do."""
    from .blocks import labelled
    from .errors_view import more

    prog = answer.prog
    yield clean(f"program {prog.id} {prog.name} ({prog.type_name}): {answer.headline}")
    yield from labelled("evidence", answer.evidence)
    yield from labelled("could be", answer.candidates)
    yield from labelled("remedy", [answer.remedy] if answer.remedy else [])
    yield from labelled("code", [answer.code + more(answer.code)])
