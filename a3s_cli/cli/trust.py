"""`a3s trust`: apply a project's own configuration."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExample:\n  a3s trust ~/src/mine")
@click.argument("directory", metavar="[DIR]", required=False)
def trust(directory: str | None) -> None:
    """Treat DIR's .a3s/config.acl like your own configuration.

    Without DIR, trust the project around the working directory. Its real path
    is added to trust = [...] in your configuration; delete it there to revoke
    the trust. Projects below DIR are not included.
    """
    import os

    from ..commands.trust import trust as add
    from ..output.person import readable

    click.echo(readable(add(directory, os.environ)), nl=False)
