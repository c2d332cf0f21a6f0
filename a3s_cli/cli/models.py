"""`a3s models`: the models that `-m` accepts, and the weights of the embedded one."""

from __future__ import annotations

import click

from .models_pull import pull


@click.group(
    invoke_without_command=True,
    epilog="\b\nExamples:\n  a3s models --json | jq -r '.[].model'\n  a3s models pull",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.option("--config", "config_file", metavar="FILE", help="Also read this configuration.")
@click.pass_context
def models(ctx: click.Context, as_json: bool, config_file: str | None) -> None:
    """List the configured and the local models, and what is known of them.

    Prices are in dollars per million tokens: as configured, else as listed in the table
    that comes with a3s, on the day that is shown.
    """
    if ctx.invoked_subcommand is not None:
        return
    from ..commands.models import listed

    click.echo(listed(config_file, as_json=as_json), nl=False)


models.add_command(pull)
