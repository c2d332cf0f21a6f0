"""`a3s sessions`: list, show, rename, export and remove saved conversations."""

from __future__ import annotations

import os

import click

EPILOG = """\b
Examples:
  a3s run -c "and now in Rust"
  a3s sessions list --json | jq -r '.[].id'
  a3s sessions export ID | a3s replay -
"""


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.pass_context
def sessions(ctx: click.Context) -> None:
    """List, show, rename, export and remove sessions.

    They are kept for 30 days after their last use, up to 1 GiB in total.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(show_list, everything=False, as_json=False)


def _show(text: str | bytes) -> None:
    click.echo(text, nl=False)


@sessions.command("list", epilog="\b\nExample:\n  a3s sessions list --all")
@click.option("--all", "everything", is_flag=True, help="List all, with their directories.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def show_list(everything: bool, as_json: bool) -> None:
    """List the newest 50 sessions of this directory, the last used first.

    A line has the ID, the last use, the turns, how the last run ended, the
    tokens, the cost (where prices are configured) and the title, which is the
    first prompt unless rename has set one.
    """
    from ..commands import sessions as command

    def tell(text: str) -> None:
        click.echo(text, err=True)

    command.show_list(os.environ, _show, tell, everything=everything, as_json=as_json)


@sessions.command(epilog="\b\nExample:\n  a3s sessions show ID | less")
@click.argument("session", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the conversation as JSON.")
def show(session: str, as_json: bool) -> None:
    """Show the transcript of a session.

    A unique prefix of an ID is enough.
    """
    from ..commands import sessions as command

    command.show_session(os.environ, _show, session, as_json=as_json)


@sessions.command(epilog='\b\nExample:\n  a3s sessions rename ID "the parser"')
@click.argument("session", metavar="ID")
@click.argument("title", metavar="TITLE")
def rename(session: str, title: str) -> None:
    """Set the title of a session; an empty one removes it."""
    from ..commands import sessions as command

    command.rename(os.environ, session, title)


@sessions.command(epilog="\b\nExample:\n  a3s sessions export ID | a3s audit - --policy ci.toml")
@click.argument("session", metavar="ID")
def export(session: str) -> None:
    """Print the file of a session: NDJSON.

    audit and replay can read it. Values too large for a line are kept in
    files of their own, which are not exported.
    """
    from ..commands import sessions as command

    for piece in command.exported(os.environ, session):
        _show(piece)


@sessions.command(epilog="\b\nExample:\n  a3s sessions rm ID")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def rm(ids: tuple[str, ...]) -> None:
    """Remove sessions and all their files."""
    from ..commands import sessions as command

    command.remove(os.environ, ids)


@sessions.command(epilog="\b\nExample:\n  a3s sessions prune --json")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def prune(as_json: bool) -> None:
    """Remove sessions that have not been used for 30 days.

    If the rest is larger than 1 GiB, the oldest are removed as well. A run
    does this once a day. Sessions in use are never removed.
    """
    from ..commands import sessions as command

    command.show_pruned(os.environ, _show, as_json=as_json)
