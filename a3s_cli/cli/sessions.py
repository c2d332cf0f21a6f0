"""`a3s sessions`: the conversations that are kept, and what may be done with them."""

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
    """List, show, export and remove sessions.

    They are kept for 30 days after their last use, and 1 GiB of them at most.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(show_list, everything=False, as_json=False)


def _show(text: str | bytes) -> None:
    click.echo(text, nl=False)


@sessions.command("list", epilog="\b\nExample:\n  a3s sessions list --all")
@click.option("--all", "everything", is_flag=True, help="Not only the last 50.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def show_list(everything: bool, as_json: bool) -> None:
    """List the sessions, the last used first."""
    from ..commands import sessions as command
    from ..sessions.listing import NEWEST

    def tell(text: str) -> None:
        click.echo(text, err=True)

    limit = None if everything else NEWEST
    command.show_list(os.environ, _show, tell, limit=limit, as_json=as_json)


@sessions.command(epilog="\b\nExample:\n  a3s sessions show ID | less")
@click.argument("session", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the conversation as JSON.")
def show(session: str, as_json: bool) -> None:
    """Show what was said and done in a session.

    The beginning of an ID is enough, if no other begins with it.
    """
    from ..commands import sessions as command

    command.show_session(os.environ, _show, session, as_json=as_json)


@sessions.command(epilog="\b\nExample:\n  a3s sessions export ID | a3s audit - --policy ci.toml")
@click.argument("session", metavar="ID")
def export(session: str) -> None:
    """Print a session as it is kept: NDJSON.

    audit and replay read it. What is too big for a line stays where it is.
    """
    from ..commands import sessions as command

    for piece in command.exported(os.environ, session):
        _show(piece)


@sessions.command(epilog="\b\nExample:\n  a3s sessions rm ID")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def rm(ids: tuple[str, ...]) -> None:
    """Remove sessions, with all that was kept beside them."""
    from ..commands import sessions as command

    command.remove(os.environ, ids)


@sessions.command(epilog="\b\nExample:\n  a3s sessions prune --json")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def prune(as_json: bool) -> None:
    """Remove sessions that nobody has used for 30 days.

    Of the rest, the oldest go until 1 GiB is left. A run does this once a day.
    A session in use stays.
    """
    from ..commands import sessions as command

    command.show_pruned(os.environ, _show, as_json=as_json)
