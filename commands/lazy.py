"""Groups of commands that import a noun's module only when somebody uses that noun.

Importing all of them would cost several times what `prog show` itself does.
"""

from __future__ import annotations

from importlib import import_module

from typer.core import TyperGroup
from typer.main import Typer, get_group

from bpfctl.errors import UsageError

from . import options
from .nouns import ALIASES, BY_NAME, NOUNS
from .params import Command, light
from .suggest import unknown_command, where
from .typed import typed
from .typer_errors import unknown_option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .declare import Noun


class WordGroup(TyperGroup):
    """A group whose unknown words are errors with a suggestion; a prefix is no match."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, with the help option."""
        return light(super().get_params(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command of the first word.

        Raises: UsageError (unknown word).
        """
        word, *rest = args
        command = self.get_command(ctx, word)
        if command is not None:
            return command.name, command, rest
        if word.startswith("-"):
            raise unknown_option(word, ctx)
        raise unknown_command(ctx.command_path, word, self.list_commands(ctx))


class NounGroup(WordGroup):
    """The verbs of one noun, with bpftool's habits: `list`, `help`, and the bare noun."""

    default_verb: str | None = None

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a verb or of its alias."""
        found = super().get_command(ctx, cmd_name)
        return found or super().get_command(ctx, ALIASES.get(cmd_name, ""))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the verb where the command line ends before it."""
        if args == ["help"] and "help" not in self.commands:
            args = [ctx.help_option_names[-1]]
        if not args and not ctx.resilient_parsing:
            if self.default_verb is None:
                raise UsageError(
                    f"{where(ctx.command_path)}a command is missing",
                    remedy=f"one of {', '.join(self.list_commands(ctx))}",
                )
            args = [self.default_verb]
        return super().parse_args(ctx, args)


class RootGroup(WordGroup):
    """`bpfctl` itself."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the nouns."""
        del ctx
        return [noun.name for noun in NOUNS]

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the noun of the first word, with the verb of the second alone if it has that.

        Raises: UsageError (unknown word).
        """
        word, *rest = args
        if word in BY_NAME and word not in self.commands and rest:
            self.commands[word] = load_noun(word, rest[0])
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the noun's module and return its command, or None for an unknown word."""
        del ctx
        if cmd_name not in self.commands and cmd_name in BY_NAME:
            self.commands[cmd_name] = load_noun(cmd_name)
        return self.commands.get(cmd_name)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """List the global options, which are taken away before this group sees its words."""
        rows = [(", ".join(option.flags), option.help) for option in options.OPTIONS]
        rows.append((f"{', '.join(options.FORMAT_FLAGS)} FORMAT", options.FORMAT_HELP))
        rows.append((", ".join(ctx.help_option_names), "Show this message and stop."))
        with formatter.section("Options, in any place before --"):
            formatter.write_dl(rows)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the nouns without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(noun.name, noun.help) for noun in NOUNS])


def load_noun(name: str, verb: str = "") -> Any:
    """Build the command of one noun from the `app` of its module.

    When it has that verb, it is the only one built: typer takes a millisecond for each.
    """
    noun = BY_NAME[name]
    app: Noun = import_module(f".{noun.module or name}", __package__).app
    group = get_group(_built(app, verb))
    assert isinstance(group, NounGroup)
    group.default_verb = noun.default
    command = group.commands[name] if noun.single else group
    command.name = name
    command.short_help = noun.help
    return command


def _built(app: Noun, verb: str) -> Typer:
    """Return typer's form of a noun, with one verb alone if it has that."""
    name = verb if verb in app.verbs else ALIASES.get(verb, "")
    chosen = {name: app.verbs[name]} if name in app.verbs else app.verbs
    # rich takes longer to import than our commands to run
    built = Typer(help=app.help, cls=NounGroup, rich_markup_mode=None)
    built.callback()(lambda: None)  # or typer makes a command of a single verb
    for each, declared in chosen.items():
        settings = {"ignore_unknown_options": declared.loose}
        built.command(each, cls=Command, context_settings=settings)(typed(declared.run))
    return built
