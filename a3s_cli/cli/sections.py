"""`--help` in sections: related options and commands under a common title.

Click prints one list of options and one of commands, which is hard to scan with
two dozen entries. A command may therefore group them; what it does not name
comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

Sections = Mapping[str, Iterable[str | None]]
REST = "Other options"
#: Width of the column of names; a longer name gets a line of its own.
_COLUMN = 30


class Helpful(click.Command):
    """A command that is read without what click does only for help and for mistakes.

    Click would search the disk for a translation of `--help`, for each command, before
    anything else happens. And it looks at every `-o` as at a long option first, fails,
    and looks for what might have been meant before it tries the short ones.
    """

    def make_parser(self, ctx: click.Context) -> Any:
        """Return click's parser, which finds a short option by itself at the first look."""
        parser = super().make_parser(ctx)
        parser._long_opt.update(parser._short_opt)
        return parser

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the `--help` option, cached where click caches its own."""
        names = self.get_help_option_names(ctx)
        if names and self._help_option is None:
            self._help_option = flag(names, "Show this message and exit.", _show_help)
        return self._help_option


def flag(names: Iterable[str], help: str, action: Callable[[click.Context], None]) -> click.Option:
    """Return an option that runs an action and exits."""

    def act(ctx: click.Context, _: click.Parameter, given: bool) -> None:
        if given and not ctx.resilient_parsing:
            action(ctx)
            ctx.exit()

    return click.Option(
        list(names), is_flag=True, is_eager=True, expose_value=False, help=help, callback=act
    )


def _show_help(ctx: click.Context) -> None:
    click.echo(ctx.get_help(), color=ctx.color)


class Sectioned(Helpful):
    """A command whose options are listed in sections: title -> names of parameters."""

    def __init__(self, *args: Any, sections: Sections, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.sections = sections

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles in their order."""
        return (*self.sections, REST)

    def section_of(self, name: str | None) -> str:
        """Return the title of a parameter's section."""
        return next((title for title, names in self.sections.items() if name in names), REST)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section."""
        rows: dict[str, list[tuple[str, str]]] = {title: [] for title in self.titles}
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and (record := option.get_help_record(ctx)):
                rows[self.section_of(option.name)].append(record)
        # One column width for the whole page, so that it is easy to scan.
        width = min(_COLUMN, max(len(name) for names in rows.values() for name, _ in names))
        for title, names in rows.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), help) for name, help in names], _COLUMN)


class SectionedGroup(Helpful, click.Group):
    """A group whose commands are listed in sections, each with its whole summary."""

    def __init__(self, *args: Any, sections: Mapping[str, Iterable[str]], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.sections = sections

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, section by section."""
        width = max(map(len, self.list_commands(ctx)))
        for title, names in self.sections.items():
            with formatter.section(title):
                found = [(name, self.get_command(ctx, name)) for name in names]
                formatter.write_dl(
                    [(name.ljust(width), one.get_short_help_str(200)) for name, one in found if one]
                )
