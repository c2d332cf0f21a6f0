"""`a3s help COMMAND`: the same text as `a3s COMMAND --help`."""

from __future__ import annotations

import click

from .sections import Helpful


@click.command(cls=Helpful, epilog="\b\nExample:\n  a3s help run")
@click.argument("command", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help(ctx: click.Context, command: tuple[str, ...]) -> None:
    """Show the help of a3s or of a command."""
    shown = ctx.find_root()
    for name in command:
        group = shown.command
        found = group.get_command(shown, name) if isinstance(group, click.Group) else None
        if found is None:
            raise click.exceptions.NoSuchCommand(name, ctx=shown)
        shown = click.Context(found, info_name=name, parent=shown)
    click.echo(shown.get_help())
