"""`a3s man`: the manual, however a3s was installed."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExamples:\n  a3s man run\n  a3s man 5 config\n  a3s man events | less")
@click.argument("topic", nargs=-1, metavar="[TOPIC]")
@click.pass_context
def man(ctx: click.Context, topic: tuple[str, ...]) -> None:
    """Show a manual page.

    TOPIC is a command, or events, config or policy. If two pages share a
    name, put the section first: 1 for a command, 5 for a format, 7 for the
    rules. On a terminal, man(1) shows the page; elsewhere it is plain text.
    """
    from ..commands.man import show

    if len(topic) > 2:
        raise click.UsageError("one page at a time: a3s man [SECTION] [TOPIC]", ctx)
    click.echo(show(ctx.find_root().command, topic), nl=False)
