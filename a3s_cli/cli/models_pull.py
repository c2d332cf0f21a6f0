"""`a3s models pull`: fetch the weights of the embedded model."""

from __future__ import annotations

import click


@click.command(
    epilog="\b\nExamples:\n  a3s models pull\n  a3s models pull qwen2.5-coder-0.5b",
)
@click.argument("name", required=False)
def pull(name: str | None) -> int:
    """Fetch the weights of an embedded model.

    What has arrived before an interruption is kept, and the next pull goes on
    from there. The path of the weights is printed when they are complete.
    """
    from ..commands.models_pull import pull_for_a_person
    from ..errors import Cancelled

    try:
        click.echo(pull_for_a_person(name))
    except Cancelled as error:
        click.echo(f"a3s: {error}", err=True)
        return -(error.signal or 0)
    return 0
