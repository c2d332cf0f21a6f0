"""`a3s run`: one prompt through the agent loop."""

from __future__ import annotations

from typing import Any

import click

from .options import (
    SECTIONS_OF_A_RUN,
    confinement_options,
    debug_option,
    limit_options,
    model_options,
    place_options,
    request,
    rule_options,
    system_options,
    tool_input_option,
    tools_option,
    weights_options,
)
from .sections import Sectioned

EPILOG = """\b
Examples:
  a3s run "count the TODOs" --allow bash
  git diff | a3s run "review this" - -o raw
  a3s run -f task.md --timeout 5m | jq -c 'select(.type=="tool_end")'
"""

#: What stands together in `--help`.
SECTIONS = {
    "Prompt": ("prompt_file", "append_stdin", "system", "append_system"),
    "Answer": ("output", "as_json", "schema", "tool_input", "record"),
    **SECTIONS_OF_A_RUN,
    "Session": ("session", "newest", "no_session"),
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
@click.option("--stdin", "append_stdin", is_flag=True, help="Append stdin to the prompt.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["pretty", "raw", "json"]),
    help="pretty on a terminal, else json.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as -o json.")
@model_options
@place_options
@system_options
@click.option("--schema", metavar="FILE|JSON|-", help="Answer with an object of this JSON Schema.")
@tools_option
@tool_input_option
@rule_options
@click.option(
    "--on-ask",
    type=click.Choice(["prompt", "deny", "fail"]),
    help="prompt on a terminal, else deny; fail ends the run.",
)
@confinement_options
@limit_options
@click.option("--session", metavar="ID", help="Go on with a session.")
@click.option("-c", "--continue", "newest", is_flag=True, help="With the newest one here.")
@click.option("--no-session", is_flag=True, help="Keep no session of this run.")
@click.option("--record", metavar="FILE", help="Keep the stream in a new file as well, chained.")
@weights_options
@debug_option
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> None:
    """Run one prompt and exit.

    PROMPT is the argument, or stdin where it is "-" or missing. A "-" after
    the prompt, or --stdin, appends stdin to it.
    """
    if given["stdin_mark"] not in (None, "-"):
        from shlex import join

        extra = given["stdin_mark"]
        raise click.UsageError(
            f"one prompt at a time ({extra!r} is a second one): quote it, as in"
            f"  {join(['a3s', 'run', given['prompt'] + ' ' + extra])}",
            ctx,
        )
    if given["as_json"] and given["output"] not in (None, "json"):
        raise click.UsageError("--json and -o exclude each other", ctx)

    session = "" if given["newest"] else given["session"]
    if (given["session"] is not None) + given["newest"] + given["no_session"] > 1:
        raise click.UsageError("--session, --continue and --no-session exclude each other", ctx)

    from ..commands.run import RunOptions
    from ..commands.run import run as run_in_foreground
    from ..run.prompt_source import PromptSource

    run_in_foreground(
        RunOptions(
            request(given),
            PromptSource(
                given["prompt"],
                given["prompt_file"],
                given["append_stdin"] or given["stdin_mark"] == "-",
            ),
            output="json" if given["as_json"] else given["output"],
            cwd=given["cwd"],
            tools=given["tools"],
            schema=given["schema"],
            session=session,
            keep_session=not given["no_session"],
            record=given["record"],
            debug=given["debug"],
        )
    )
