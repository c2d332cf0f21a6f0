"""`a3s tools`: the tools and skills that a model is offered."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExample:\n  a3s tools --json | jq -c '.[].name'")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, with the schemas.")
def tools(as_json: bool) -> None:
    """List the tools (name, description, arguments) and the skills."""
    from ..commands.tools import tools_json, tools_text

    click.echo(tools_json() if as_json else tools_text(), nl=False)
