"""`a3s models`: the models that `-m` accepts, and the weights of the embedded one."""

from __future__ import annotations

import click

from .models_pull import pull


class Models(click.Group):
    """A group that takes the name of a provider where a command could stand."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of this name, or the one that asks this provider."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return "of", offered, args
        return super().resolve_command(ctx, args)


@click.command(name="of", hidden=True)
@click.argument("provider")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_context
def offered(ctx: click.Context, provider: str, as_json: bool) -> None:
    """List the models that a provider's server offers."""
    from ..commands.models import offered as ask

    above = ctx.parent.params if ctx.parent else {}
    told = ask(provider, above.get("config_file"), as_json=as_json or above.get("as_json", False))
    click.echo(told, nl=False)


@click.group(
    cls=Models,
    invoke_without_command=True,
    subcommand_metavar="[PROVIDER | pull [NAME]]",
    epilog="\b\nExamples:\n  a3s models openai\n  a3s models --json | jq -r '.[].model'\n"
    "  a3s models pull",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.option("--config", "config_file", metavar="FILE", help="Also read this configuration.")
@click.pass_context
def models(ctx: click.Context, as_json: bool, config_file: str | None) -> None:
    """List the configured and embedded models, with what is known about them.

    Prices are in dollars per million tokens: the configured ones, or else those in the
    table that comes with a3s, with their date. With the name of a provider, list
    the models that its server offers.

    For an embedded model, the list shows its size, whether it is downloaded, and what it
    is good at. Any other model in GGUF format can be named by its path, or by its place
    on Hugging Face, as in -m local/./model.gguf and -m local/hf:OWNER/REPO:FILE.gguf.
    """
    if ctx.invoked_subcommand is not None:
        return
    from ..commands.models import listed

    click.echo(listed(config_file, as_json=as_json), nl=False)


models.add_command(pull)
