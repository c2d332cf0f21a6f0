"""`a3s config`: what is in force, and why."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExample:\n  a3s config --json | jq .settings.max_turns")
@click.option("-C", "--cwd", metavar="DIR", help="Show what holds in DIR.")
@click.option("--config", "config_file", metavar="FILE", help="One more configuration file.")
@click.option("--no-project", is_flag=True, help="Ignore the project's config.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def config(cwd: str | None, config_file: str | None, no_project: bool, as_json: bool) -> None:
    """Show the effective settings and where each came from, secrets masked."""
    from ..commands.config import shown

    text = shown(cwd=cwd, config_file=config_file, project=not no_project, as_json=as_json)
    click.echo(text, nl=False)
