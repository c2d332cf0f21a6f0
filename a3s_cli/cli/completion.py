"""`a3s completion`: the script that completes a3s in a shell."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  source <(a3s completion bash)      # in ~/.bashrc
  source <(a3s completion zsh)       # in ~/.zshrc, after compinit
  a3s completion fish | source       # in ~/.config/fish/config.fish
"""


def _print_models(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    import os

    from ..manual.names import model_names

    click.echo(model_names(os.environ), nl=False)
    ctx.exit()


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.option(
    "--models", is_flag=True, is_eager=True, hidden=True, expose_value=False, callback=_print_models
)
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    pip installs the scripts below share/ of its prefix, where shells find
    them. This command is for every other setup.
    """
    from ..manual.completions import script
    from ..manual.tree import read

    click.echo(script(read(ctx.find_root().command), shell), nl=False)
