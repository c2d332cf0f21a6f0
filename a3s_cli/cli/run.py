"""`a3s run`: one prompt through the agent loop."""

from __future__ import annotations

from typing import Any

import click

from .options import RULES, rule_options
from .sections import Sectioned

EPILOG = """\b
Examples:
  a3s run "count the TODOs" --allow bash
  git diff | a3s run "review this" - -o raw
  a3s run -f task.md --timeout 5m | jq -c 'select(.type=="tool_end")'
"""

#: Flags that are settings as well: their value goes to the configuration.
SETTINGS = (
    "max_turns",
    "max_tool_calls",
    "timeout",
    "tool_timeout",
    "max_retries",
    "idle_timeout",
    "max_parallel",
    "default_decision",
    "on_ask",
    "system",
    "append_system",
    "model",
    "max_tokens",
    "temperature",
    "reasoning",
    "max_cost",
    "sandbox",
    "network",
    "read_only",
    "env",
    "redact_env",
)
#: What stands together in `--help`.
SECTIONS = {
    "Prompt": ("prompt_file", "append_stdin", "system", "append_system"),
    "Answer": ("output", "as_json", "schema", "tool_input", "record"),
    "Model": ("model", "max_tokens", "temperature", "reasoning", "pull", "offline"),
    "Rules": ("tools", *RULES, "on_ask", "read_only"),
    "Sandbox and secrets": ("sandbox", "network", "env", "redact_env"),
    "Limits": (
        "max_turns", "max_tool_calls", "max_cost", "timeout", "tool_timeout", "idle_timeout",
        "max_retries", "max_parallel",
    ),
    "Session": ("session", "newest", "no_session"),
}  # fmt: skip


class Duration(click.ParamType):  # type: ignore[type-arg]
    """`90s`, `5m`, `1h`, or a bare number of seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        from ..config.durations import seconds

        try:
            return seconds(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = Duration()
POSITIVE = click.IntRange(min=1)


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
@click.option("-m", "--model", metavar="PROVIDER/MODEL", help="The model to ask.")
@click.option("--max-tokens", type=POSITIVE, metavar="N", help="Tokens of one response.")
@click.option("--temperature", type=float, metavar="T", help="From 0 to 2.")
@click.option(
    "--reasoning",
    type=click.Choice(["none", "low", "medium", "high"]),
    help="How much the model may think.",
)
@click.option("-C", "--cwd", metavar="DIR", help="Work in DIR, as if started there.")
@click.option("--config", "config_file", metavar="FILE", help="One more configuration file.")
@click.option("--no-project", is_flag=True, help="Ignore AGENTS.md and the project's config.")
@click.option("-s", "--system", metavar="TEXT", help="Replace the system prompt.")
@click.option("--append-system", metavar="TEXT", help="Add to the system prompt.")
@click.option("--schema", metavar="FILE|JSON|-", help="Answer with an object of this JSON Schema.")
@click.option("--tools", metavar="LIST|none", help="Offer only these tools.")
@click.option("--tool-input", is_flag=True, help="Stream the arguments of calls as well.")
@rule_options
@click.option(
    "--on-ask",
    type=click.Choice(["prompt", "deny", "fail"]),
    help="prompt on a terminal, else deny; fail ends the run.",
)
@click.option("--read-only", is_flag=True, default=None, help="Change no file of the workspace.")
@click.option(
    "--sandbox",
    type=click.Choice(["auto", "require", "off"]),
    help="Confine bash: where possible, or not run.",
)
@click.option("--network", type=click.Choice(["on", "off"]), help="off needs the sandbox.")
@click.option("--env", metavar="NAME", multiple=True, help="Let commands see this variable.")
@click.option("--redact-env", metavar="NAME", multiple=True, help="Hide its value in all output.")
@click.option("--max-turns", type=POSITIVE, metavar="N", help="Model responses (50).")
@click.option("--max-tool-calls", type=click.IntRange(min=0), metavar="N", help="Executed calls.")
@click.option("--max-cost", type=float, metavar="USD", help="Needs the model's cost in the config.")
@click.option("--timeout", type=DURATION, metavar="DURATION", help="The whole run: 90s, 5m.")
@click.option("--tool-timeout", type=DURATION, metavar="DURATION", help="One call (120s).")
@click.option("--idle-timeout", type=DURATION, metavar="DURATION", help="A silent answer (60s).")
@click.option("--max-retries", type=click.IntRange(min=0), metavar="N", help="Per request (4).")
@click.option("--max-parallel", type=POSITIVE, metavar="N", help="Calls at a time (8).")
@click.option("--session", metavar="ID", help="Go on with a session.")
@click.option("-c", "--continue", "newest", is_flag=True, help="With the newest one here.")
@click.option("--no-session", is_flag=True, help="Keep no session of this run.")
@click.option("--record", metavar="FILE", help="Keep the stream in a new file as well, chained.")
@click.option("--pull", is_flag=True, help="Fetch the local model's weights if need be.")
@click.option("--offline", is_flag=True, help="Never fetch weights.")
@click.option("--debug", is_flag=True, help="Log on stderr.")
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

    from ..foreground import run as run_in_foreground
    from ..prompt import PromptSource
    from ..run_plan import RunOptions

    run_in_foreground(
        RunOptions(
            source=PromptSource(
                given["prompt"],
                given["prompt_file"],
                given["append_stdin"] or given["stdin_mark"] == "-",
            ),
            output="json" if given["as_json"] else given["output"],
            cwd=given["cwd"],
            config_file=given["config_file"],
            permissions=given["permissions"],
            settings={name: given[name] for name in SETTINGS if given[name] is not None},
            rules={kind: given[kind] for kind in ("allow", "deny", "ask")},
            record=given["record"],
            schema=given["schema"],
            session=session,
            keep_session=not given["no_session"],
            tools=given["tools"],
            tool_input=given["tool_input"],
            allow_all=given["allow_all"],
            project=not given["no_project"],
            pull=given["pull"],
            offline=given["offline"],
            debug=given["debug"],
        )
    )
