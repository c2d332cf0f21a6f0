"""`a3s config`: the effective settings and their origins, and the user's own file."""

from __future__ import annotations

import os

import click

EPILOG = """\b
Examples:
  a3s config --json | jq .settings.max_turns
  a3s config set default_model openai/gpt-5-mini
"""


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.option("-C", "--cwd", metavar="DIR", help="Show the settings that apply in DIR.")
@click.option("--config", "config_file", metavar="FILE", help="Also read this configuration.")
@click.option("--no-project", is_flag=True, help="Ignore the project's configuration.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def config(
    ctx: click.Context, cwd: str | None, config_file: str | None, no_project: bool, as_json: bool
) -> None:
    """Show the effective settings and their origins, with secrets masked."""
    if ctx.invoked_subcommand is not None:
        return
    from ..commands.config import shown

    text = shown(cwd=cwd, config_file=config_file, project=not no_project, as_json=as_json)
    click.echo(text, nl=False)


@config.command(epilog='\b\nExample:\n  cat "$(a3s config path)"')
def path() -> None:
    """Print the path of your configuration file.

    It need not exist yet.
    """
    from ..commands import config_file

    click.echo(config_file.path(os.environ))


@config.command(epilog="\b\nExample:\n  EDITOR=vim a3s config edit")
def edit() -> None:
    """Open your configuration file in $EDITOR, and check it."""
    from ..commands import config_file

    config_file.edit(os.environ)


@config.command("set", epilog="\b\nExample:\n  a3s config set max_turns 20")
@click.argument("key")
@click.argument("value")
def set_value(key: str, value: str) -> None:
    """Set a key of your configuration file.

    Only settings of one value; the rest of the file stays as it is.
    """
    from ..commands import config_file

    click.echo(config_file.set_value(os.environ, key, value))
