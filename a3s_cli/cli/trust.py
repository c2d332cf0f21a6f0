"""`a3s trust`: apply a project's own configuration."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExample:\n  a3s trust ~/src/mine")
@click.argument("directory", metavar="[DIR]", required=False)
def trust(directory: str | None) -> None:
    """Trust a project's configuration, MCP servers and skills.

    These are its .a3s/config.acl, the servers in .mcp.json, and the skills in
    .agents/skills and .claude/skills; they then count like your own. Without DIR,
    trust the project around the working directory. Its real path and a hash of
    these files are added to trust = [...] in your configuration: after any change
    to them the project is untrusted until you run this again. Delete the entry to
    revoke the trust. Projects below DIR are not included.
    """
    import os

    from ..commands.trust import trust as add
    from ..output.person import readable

    click.echo(readable(add(directory, os.environ)), nl=False)
