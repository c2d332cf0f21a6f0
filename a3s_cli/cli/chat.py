"""`a3s chat`: one prompt after another, in one session, at a terminal."""

from __future__ import annotations

from typing import Any

import click

from .options import SECTIONS_OF_A_RUN, plain_option, request, run_options, session_options
from .sections import Sectioned

SECTIONS = {
    "Prompt": ("system", "append_system"),
    "Answer": ("plain",),
    **SECTIONS_OF_A_RUN,
    "Session": ("session", "newest", "fork", "no_session"),
}


@click.command(
    cls=Sectioned,
    sections=SECTIONS,
    epilog="\b\nExamples:\n  a3s\n  a3s chat -c --allow 'bash(make test)'",
    context_settings={"max_content_width": 80},
)
@plain_option
@run_options("When a call needs approval, ask, deny, end the run or ask a program.")
@session_options
@click.option("--no-session", is_flag=True, help="Save neither the session nor the lines typed.")
@click.pass_context
def chat(ctx: click.Context, /, **given: Any) -> None:
    """Talk to the agent in one session.

    Each line that you type is one run. Ctrl-C ends the run; a second one kills its
    processes at once. At the prompt, Ctrl-C clears the line and Ctrl-D leaves.
    /help lists the commands.
    """
    session = "" if given["newest"] else given["session"]
    if (given["session"] is not None) + given["newest"] + given["no_session"] > 1:
        raise click.UsageError("--session, --continue and --no-session cannot be combined", ctx)
    if given["fork"] and session is None:
        raise click.UsageError(
            "--fork copies a session: name it with --session ID, or use -c for the newest here", ctx
        )
    from ..commands.chat import chat as talk
    from ..commands.run import RunOptions
    from ..run.prompt_source import PromptSource

    talk(
        RunOptions(
            request({**given, "tool_input": False}),
            PromptSource(),
            output="pretty",
            plain=given["plain"],
            cwd=given["cwd"],
            tools=given["tools"],
            session=session,
            fork=given["fork"],
            keep_session=not given["no_session"],
            debug=given["debug"],
        )
    )
