"""`a3s tools`: the tools and skills that a model is offered."""

from __future__ import annotations

import click

from .options import plugin_option


@click.command(epilog="\b\nExample:\n  a3s tools --json | jq -c '.[].name'")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, with the schemas.")
@plugin_option
def tools(as_json: bool, plugins: tuple[str, ...]) -> None:
    """List the tools and skills that a run offers the model.

    Each tool is shown with its description, its arguments and, if it comes from a
    plug-in, where it comes from.
    """
    from ..commands.tools import tools_json, tools_text

    click.echo(tools_json(plugins) if as_json else tools_text(plugins), nl=False)
