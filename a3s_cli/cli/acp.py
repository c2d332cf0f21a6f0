"""`a3s acp`: an agent for editors, over stdin and stdout."""

from __future__ import annotations

from typing import Any

import click

from .options import SECTIONS_OF_A_RUN, request, run_options
from .sections import Sectioned

EPILOG = """\b
Examples:
  a3s acp
  a3s acp --allow 'bash(git log:*)' --sandbox require
"""

#: The sections of `--help`.
SECTIONS = {
    "Agent": ("allow_full",),
    "Prompt": ("system", "append_system"),
    **SECTIONS_OF_A_RUN,
}


@click.command(
    cls=Sectioned,
    sections=SECTIONS,
    epilog=EPILOG,
    context_settings={"max_content_width": 80},
)
@click.option("--allow-full", is_flag=True, help="Offer a mode that asks for no approval.")
@run_options("When a call needs approval, ask in the editor, deny, end the run or ask a program.")
@click.pass_context
def acp(ctx: click.Context, /, **given: Any) -> None:
    """Serve as the agent in an editor (ACP).

    The editor starts this command and speaks the Agent Client Protocol with it on
    stdin and stdout. Runs, rules, models and sessions work as in a3s run.
    """
    if given["allow_all"]:
        raise click.UsageError("--allow-all: in an editor it is a mode, see --allow-full", ctx)
    from ..commands.acp import acp as begin

    fields = request({**given, "tool_input": False})
    begin(
        fields, given["tools"], given["cwd"], allow_full=given["allow_full"], debug=given["debug"]
    )
