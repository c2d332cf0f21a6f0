"""Options that commands share: a rule, a model or a limit means the same wherever it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

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

Options = Callable[[Callable[..., Any]], Callable[..., Any]]


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


def _all(*options: Options) -> Options:
    """Give one decorator for several options."""

    def give(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return give


def settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give those flags that the configuration knows."""
    return {name: given[name] for name in SETTINGS if given.get(name) is not None}


def request(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the shared options say of a `run.request.Request`, by its fields."""
    return {
        "settings": settings(given),
        "rules": {kind: given[kind] for kind in ("allow", "deny", "ask")},
        "permissions": given["permissions"],
        "config_file": given["config_file"],
        "project": not given["no_project"],
        "tool_input": given["tool_input"],
        "allow_all": given["allow_all"],
        "pull": given["pull"],
        "offline": given["offline"],
    }


model_options = _all(
    click.option("-m", "--model", metavar="PROVIDER/MODEL", help="The model to ask."),
    click.option("--max-tokens", type=POSITIVE, metavar="N", help="Tokens of one response."),
    click.option("--temperature", type=float, metavar="T", help="From 0 to 2."),
    click.option(
        "--reasoning",
        type=click.Choice(["none", "low", "medium", "high"]),
        help="How much the model may think.",
    ),
)
place_options = _all(
    click.option("-C", "--cwd", metavar="DIR", help="Work in DIR, as if started there."),
    click.option("--config", "config_file", metavar="FILE", help="One more configuration file."),
    click.option("--no-project", is_flag=True, help="Ignore AGENTS.md and the project's config."),
)
system_options = _all(
    click.option("-s", "--system", metavar="TEXT", help="Replace the system prompt."),
    click.option("--append-system", metavar="TEXT", help="Add to the system prompt."),
)
tools_option = click.option("--tools", metavar="LIST|none", help="Offer only these tools.")
tool_input_option = click.option(
    "--tool-input", is_flag=True, help="Stream the arguments of calls as well."
)
rule_options = _all(
    click.option("--allow", metavar="RULE", multiple=True, help="Allow calls: bash(git log:*)"),
    click.option("--deny", metavar="RULE", multiple=True, help="Deny calls, whatever allows them."),
    click.option("--ask", metavar="RULE", multiple=True, help="Ask before calls."),
    click.option(
        "--default-decision",
        type=click.Choice(["allow", "ask", "deny"]),
        help="What holds where no rule does.",
    ),
    click.option("--allow-all", is_flag=True, help="Allow all that is not denied."),
    click.option("--permissions", metavar="FILE", help="Allow and ask by FILE, not by the config."),
)
#: The names of their parameters.
RULES = ("allow", "deny", "ask", "default_decision", "allow_all", "permissions")
#: What stands together in the `--help` of whatever runs prompts.
SECTIONS_OF_A_RUN = {
    "Model": ("model", "max_tokens", "temperature", "reasoning", "pull", "offline"),
    "Rules": ("tools", *RULES, "on_ask", "read_only"),
    "Sandbox and secrets": ("sandbox", "network", "env", "redact_env"),
    "Limits": (
        "max_turns", "max_tool_calls", "max_cost", "timeout", "tool_timeout", "idle_timeout",
        "max_retries", "max_parallel",
    ),
}  # fmt: skip
confinement_options = _all(
    click.option(
        "--read-only", is_flag=True, default=None, help="Change no file of the workspace."
    ),
    click.option(
        "--sandbox",
        type=click.Choice(["auto", "require", "off"]),
        help="Confine bash: where possible, or not run.",
    ),
    click.option("--network", type=click.Choice(["on", "off"]), help="off needs the sandbox."),
    click.option("--env", metavar="NAME", multiple=True, help="Let commands see this variable."),
    click.option(
        "--redact-env", metavar="NAME", multiple=True, help="Hide its value in all output."
    ),
)
limit_options = _all(
    click.option("--max-turns", type=POSITIVE, metavar="N", help="Model responses (50)."),
    click.option(
        "--max-tool-calls", type=click.IntRange(min=0), metavar="N", help="Executed calls."
    ),
    click.option(
        "--max-cost", type=float, metavar="USD", help="Needs the model's cost in the config."
    ),
    click.option("--timeout", type=DURATION, metavar="DURATION", help="The whole run: 90s, 5m."),
    click.option("--tool-timeout", type=DURATION, metavar="DURATION", help="One call (120s)."),
    click.option(
        "--idle-timeout", type=DURATION, metavar="DURATION", help="A silent answer (60s)."
    ),
    click.option("--max-retries", type=click.IntRange(min=0), metavar="N", help="Per request (4)."),
    click.option("--max-parallel", type=POSITIVE, metavar="N", help="Calls at a time (8)."),
)
weights_options = _all(
    click.option("--pull", is_flag=True, help="Fetch the local model's weights if need be."),
    click.option("--offline", is_flag=True, help="Never fetch weights."),
)
debug_option = click.option("--debug", is_flag=True, help="Log on stderr.")
