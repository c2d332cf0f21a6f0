"""`a3s models pull`: download the weights of the embedded model."""

from __future__ import annotations

import click


@click.command(
    epilog="\b\nExamples:\n  a3s models pull\n  a3s models pull qwen2.5-coder-0.5b\n"
    "  a3s models pull hf:OWNER/REPO:FILE.gguf",
)
@click.argument("name", required=False)
def pull(name: str | None) -> int:
    """Download the weights of an embedded model.

    After an interruption, the next pull resumes the download. When the
    weights are complete, their path is printed.
    """
    from ..commands.models_pull import pull_for_a_person
    from ..errors import Cancelled

    try:
        click.echo(pull_for_a_person(name))
    except Cancelled as error:
        click.echo(f"a3s: {error}", err=True)
        return -(error.signal or 0)
    return 0
