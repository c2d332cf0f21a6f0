"""`a3s config`: the effective settings and their origins."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExample:\n  a3s config --json | jq .settings.max_turns")
@click.option("-C", "--cwd", metavar="DIR", help="Show the settings that apply in DIR.")
@click.option("--config", "config_file", metavar="FILE", help="Also read this configuration.")
@click.option("--no-project", is_flag=True, help="Ignore the project's configuration.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def config(cwd: str | None, config_file: str | None, no_project: bool, as_json: bool) -> None:
    """Show the effective settings and their origins, with secrets masked."""
    from ..commands.config import shown

    text = shown(cwd=cwd, config_file=config_file, project=not no_project, as_json=as_json)
    click.echo(text, nl=False)
