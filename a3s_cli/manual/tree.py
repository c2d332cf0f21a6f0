"""The command line as data: the click tree, and how a shell completes each value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Literal

import click

#: The kind of a value, as far as a shell can complete it.
Kind = Literal[
    "choice", "directory", "file", "model", "rule", "session", "text", "tool", "tools", "topic",
    "variable", "weights",
]  # fmt: skip

#: The kind of each metavar in `--help`.
KINDS: dict[str, Kind] = {
    **dict.fromkeys(
        ("DURATION", "HOST", "HOST:PORT", "I/N", "JSON", "N", "NAMES", "SHA256"), "text"
    ),
    **dict.fromkeys(("T", "TEXT", "USD"), "text"),
    "DIR": "directory",
    "FILE": "file",
    "ID": "session",
    "LIST": "tools",
    "NAME": "variable",
    "ORIGIN": "text",
    "PATH": "file",
    "PROVIDER/MODEL": "model",
    "RULE": "rule",
    "RUN.ndjson": "file",
    "TOOL": "tool",
    "TOPIC": "topic",
}
#: Metavars that mean something else, by command and parameter.
EXCEPTIONS: dict[tuple[str, str], Kind] = {("pull", "name"): "weights"}
#: Marks around a metavar: optional, repeated.
_MARKS = re.compile(r"\.\.\.$|[\[\]]")


@dataclass(frozen=True, slots=True)
class OptionValue:
    """The value of an option or an argument, with its name in `--help`."""

    name: str
    kind: Kind
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One option with all its spellings, the shortest first; a flag has no value."""

    flags: tuple[str, ...]
    help: str
    value: OptionValue | None
    repeats: bool
    #: The title of its section in `--help`.
    section: str = ""


@dataclass(frozen=True, slots=True)
class Argument:
    """One positional argument."""

    value: OptionValue
    required: bool
    repeats: bool


@dataclass(frozen=True, slots=True)
class CommandTree:
    """One command, with the path of names that leads to it."""

    path: tuple[str, ...]
    summary: str
    help: str
    epilog: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    commands: tuple[CommandTree, ...]
    #: Whether it can be run without a subcommand.
    runs: bool
    #: The titles of its sections in `--help`, in order.
    sections: tuple[str, ...] = ("",)

    @property
    def name(self) -> str:
        """The command as typed: `a3s models pull`."""
        return " ".join(self.path)

    def walk(self) -> Iterator[CommandTree]:
        """Yield this command and every command below it."""
        yield self
        for command in self.commands:
            yield from command.walk()


def read(
    command: click.Command, name: str = "a3s", parent: click.Context | None = None
) -> CommandTree:
    """Read a command and every command below it."""
    settings = command.context_settings
    context = click.Context(command, parent=parent, info_name=name, **settings)
    parameters = [one for one in command.get_params(context) if not getattr(one, "hidden", False)]
    below = _below(command, context)
    return CommandTree(
        path=_path(context),
        summary=command.get_short_help_str(200),
        help=cleandoc((command.help or "").partition("\f")[0]),
        epilog=command.epilog or "",
        options=tuple(
            _option(command, name, one) for one in parameters if isinstance(one, click.Option)
        ),
        arguments=tuple(
            _argument(name, one, context) for one in parameters if isinstance(one, click.Argument)
        ),
        commands=tuple(
            read(one, word, context) for word, one in sorted(below.items()) if not one.hidden
        ),
        runs=not below or getattr(command, "invoke_without_command", False),
        sections=getattr(command, "titles", ("",)),
    )


def _path(context: click.Context) -> tuple[str, ...]:
    """Return the words that lead to a command, without the arguments of those above it."""
    above = _path(context.parent) if context.parent else ()
    return (*above, context.info_name or "")


def _below(command: click.Command, context: click.Context) -> dict[str, click.Command]:
    if not isinstance(command, click.Group):
        return {}
    found = {name: command.get_command(context, name) for name in command.list_commands(context)}
    return {name: one for name, one in found.items() if one is not None}


def _option(owner: click.Command, command: str, option: click.Option) -> Option:
    flags = tuple(sorted((*option.opts, *option.secondary_opts), key=len))
    takes = not (option.is_flag or option.count)
    value = _value(command, option, option.metavar or option.human_readable_name.upper())
    title = owner.section_of(option.name) if hasattr(owner, "section_of") else ""
    return Option(flags, option.help or "", value if takes else None, option.multiple, title)


def _argument(command: str, argument: click.Argument, context: click.Context) -> Argument:
    value = _value(command, argument, argument.make_metavar(context))
    return Argument(value, argument.required, argument.nargs != 1)


def _value(command: str, parameter: click.Parameter, metavar: str) -> OptionValue:
    name = _MARKS.sub("", metavar)
    if isinstance(parameter.type, click.Choice):
        return OptionValue(name, "choice", tuple(map(str, parameter.type.choices)))
    if exception := EXCEPTIONS.get((command, parameter.name or "")):
        return OptionValue(name, exception)
    known = [KINDS.get(word, "text") for word in name.split("|")]
    return OptionValue(name, next((kind for kind in known if kind != "text"), "text"))
