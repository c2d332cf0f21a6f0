"""`a3s run`: one prompt through the agent loop."""

from __future__ import annotations

from typing import Any

import click

from .options import (
    SECTIONS_OF_A_RUN,
    plain_option,
    request,
    run_options,
    session_options,
    tool_input_option,
)
from .sections import Sectioned

EPILOG = """\b
Examples:
  a3s run "count the TODOs" --allow bash
  git diff | a3s run "review this" - -o raw
  a3s run -f task.md --timeout 5m | jq -c 'select(.type=="tool_end")'
"""

#: The sections of `--help`.
SECTIONS = {
    "Prompt": (
        "prompt_file",
        "editor",
        "append_stdin",
        "attach",
        "input_format",
        "system",
        "append_system",
    ),
    "Answer": ("output", "as_json", "plain", "schema", "tool_input", "record", "quiet"),
    **SECTIONS_OF_A_RUN,
    "Session": ("session", "newest", "fork", "no_session"),
}


@click.command(
    cls=Sectioned,
    sections=SECTIONS,
    epilog=EPILOG,
    context_settings={"max_content_width": 80},
)
@click.argument("prompt", required=False)
@click.argument("stdin_mark", metavar="[-]", required=False)
@click.option("-f", "--prompt-file", metavar="PATH", help="Read the prompt from a file.")
@click.option("-e", "--editor", is_flag=True, help="Write the prompt in $EDITOR.")
@click.option("--stdin", "append_stdin", is_flag=True, help="Append stdin to the prompt.")
@click.option(
    "-a",
    "--attach",
    metavar="FILE",
    multiple=True,
    help="Attach an image, a PDF or text (- is stdin).",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["pretty", "raw", "json"]),
    help="Set the output format (pretty on a terminal, else json).",
)
@click.option(
    "--input",
    "input_format",
    type=click.Choice(["json"]),
    help="Read prompts, answers and cancellations from stdin.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for -o json.")
@plain_option
@click.option("--schema", metavar="FILE|JSON|-", help="Answer with JSON that matches this schema.")
@tool_input_option
@run_options("When a call needs approval, ask, deny, end the run or ask a program.")
@session_options
@click.option("--no-session", is_flag=True, help="Do not save a session.")
@click.option("--record", metavar="FILE", help="Also record the stream in a new file.")
@click.option("-q", "--quiet", is_flag=True, help="Write only usage errors to stderr.")
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> None:
    """Run one prompt and exit.

    Without PROMPT, or with "-", the prompt is read from stdin. A "-" after the
    prompt, or --stdin, appends stdin to it.
    """
    if given["stdin_mark"] not in (None, "-"):
        from .usage import one_prompt

        raise click.UsageError(one_prompt(f"{given['prompt']} {given['stdin_mark']}"), ctx)
    if given["as_json"] and given["output"] not in (None, "json"):
        raise click.UsageError("--json and -o cannot be combined", ctx)

    if given["input_format"] and given["output"] not in (None, "json"):
        raise click.UsageError("--input json and -o cannot be combined", ctx)

    session = "" if given["newest"] else given["session"]
    if (given["session"] is not None) + given["newest"] + given["no_session"] > 1:
        raise click.UsageError("--session, --continue and --no-session cannot be combined", ctx)

    if given["fork"] and session is None:
        raise click.UsageError(
            "--fork copies a session: name it with --session ID, or use -c for the newest here", ctx
        )

    if given["editor"]:
        if given["prompt_file"] or given["prompt"] == "-" or given["input_format"]:
            raise click.UsageError(
                "--editor cannot be combined with another source of the prompt", ctx
            )
        from ..input.editor import written

        given["prompt"] = written(given["prompt"] or "")

    from ..commands.run import RunOptions
    from ..run.prompt_source import PromptSource

    if given["input_format"]:
        from ..commands.dialogue import converse as begin
    else:
        from ..commands.run import run as begin
    begin(
        RunOptions(
            request(given),
            PromptSource(
                given["prompt"],
                given["prompt_file"],
                given["append_stdin"] or given["stdin_mark"] == "-",
                given["attach"],
            ),
            output="json" if given["as_json"] or given["input_format"] else given["output"],
            plain=given["plain"],
            cwd=given["cwd"],
            tools=given["tools"],
            schema=given["schema"],
            session=session,
            fork=given["fork"],
            keep_session=not given["no_session"],
            record=given["record"],
            debug=given["debug"],
            quiet=given["quiet"],
        )
    )
