"""`a3s completion`: the script that completes a3s in a shell."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  a3s completion --install
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
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), required=False)
@click.option("--install", is_flag=True, help="Write the script where the shell looks for it.")
@click.option(
    "--models", is_flag=True, is_eager=True, hidden=True, expose_value=False, callback=_print_models
)
@click.pass_context
def completion(ctx: click.Context, shell: str | None, install: bool) -> None:
    """Print the completion script for a shell, or install it for you.

    pip installs the scripts below share/ of its prefix, where shells find
    them. This command is for every other setup. With --install, SHELL is
    by default the one in $SHELL.
    """
    import os

    from ..manual.completions import script
    from ..manual.tree import read

    if shell is None:
        login = os.path.split(os.environ.get("SHELL", ""))[1]
        if not install or login not in ("bash", "zsh", "fish"):
            raise click.UsageError("name the shell: a3s completion bash, zsh or fish", ctx)
        shell = login
    text = script(read(ctx.find_root().command), shell)
    if not install:
        click.echo(text, nl=False)
        return
    from ..commands.completion import installed

    click.echo(installed(shell, text, os.environ))
