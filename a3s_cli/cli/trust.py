"""`a3s trust`: let a project's own configuration count."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExample:\n  a3s trust ~/src/mine")
@click.argument("directory", metavar="[DIR]", required=False)
def trust(directory: str | None) -> None:
    """Let DIR's .a3s/config.acl count as your own configuration does.

    Without DIR, the project around the working directory. Its real path goes
    into trust = [...] of your configuration; delete it there to end the trust.
    Projects below DIR are not meant.
    """
    import os

    from ..commands.trust import trust as add

    click.echo(add(directory, os.environ), nl=False)
