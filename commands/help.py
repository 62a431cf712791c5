"""`bpfctl help`: the overview, one command, or the section names of programs."""

from __future__ import annotations

from .declare import Argument, Noun
from .output import write_json, write_text
from .suggest import unknown_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated, Any

    from .declare import Call

app = Noun()


@app.command("help")
def help_(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="[WORD ...]", help="A noun, a noun and a verb, or `sections`."),
    ] = None,
) -> None:
    """Explain a command, or list the section names of programs (help sections)."""
    out = call.out
    if words and words[0] == "sections":
        from .selectors import expect_end

        expect_end(words[1:])
        from .help_sections import show_sections

        show_sections(out)
        return
    text = help_of(call.typer.find_root(), words or [])
    if out.json:
        write_json(out, {"help": text})
    else:
        write_text(text + "\n")


def help_of(root: Any, words: list[str]) -> str:
    """Return the help text of the command these words name.

    Raises: UsageError (no such command).
    """
    node, ctx = root.command, root
    for word in words:
        found = node.get_command(ctx, word) if hasattr(node, "get_command") else None
        if found is None:
            topics = node.list_commands(ctx) if hasattr(node, "list_commands") else []
            extra = ["sections"] if ctx is root else []
            raise unknown_command(ctx.command_path, word, [*topics, *extra])
        ctx = found.make_context(word, [], parent=ctx, resilient_parsing=True)
        node = found
    return str(ctx.get_help())
