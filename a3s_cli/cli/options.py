"""Options that commands share: a rule, a model or a limit means the same in each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

#: Flags that are also settings; their values override the configuration.
SETTINGS = (
    "max_turns",
    "max_tool_calls",
    "max_attachment_bytes",
    "timeout",
    "tool_timeout",
    "max_retries",
    "idle_timeout",
    "first_byte_timeout",
    "max_parallel",
    "default_decision",
    "reading",
    "on_ask",
    "approver_timeout",
    "system",
    "append_system",
    "model",
    "fallback_model",
    "plugins",
    "max_tokens",
    "temperature",
    "reasoning",
    "max_cost",
    "sandbox",
    "protect",
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


class OnAsk(click.Choice):  # type: ignore[type-arg]
    """One of a few words, or `exec:` and a command."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and value.startswith("exec:"):
            return value
        return super().convert(value, param, ctx)


DURATION = Duration()
POSITIVE = click.IntRange(min=1)


def _all(*options: Options) -> Options:
    """Combine several options into one decorator."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags that are settings, without those that were not used."""
    return {name: given[name] for name in SETTINGS if given.get(name) is not None}


def request(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the shared options say of a `run.request.Request`, by its fields."""
    return {
        "settings": settings(given),
        "rules": {kind: given[kind] for kind in ("allow", "deny", "ask")},
        "permissions": given["permissions"],
        "config_file": given["config_file"],
        "project": not given["no_project"],
        "skills": not given["no_skills"],
        "tool_input": given["tool_input"],
        "allow_all": given["allow_all"],
        "mcp": _servers(given),
        "mcp_files": given["mcp_config"],
        "pull": given["pull"],
        "offline": given["offline"],
        "keep_alive": given["keep_alive"],
    }


def _servers(given: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the names of the MCP servers to use; None for all."""
    if given["no_mcp"] and (given["mcp"] or given["mcp_config"]):
        raise click.UsageError("--no-mcp cannot be combined with --mcp or --mcp-config")
    return () if given["no_mcp"] else given["mcp"] or None


model_options = _all(
    click.option("-m", "--model", metavar="PROVIDER/MODEL", help="Use this model."),
    click.option(
        "--fallback-model",
        metavar="PROVIDER/MODEL",
        multiple=True,
        help="Ask this model if the one before is unavailable.",
    ),
    click.option(
        "--max-tokens", type=POSITIVE, metavar="N", help="Limit each response to N tokens."
    ),
    click.option("--temperature", type=float, metavar="T", help="Set the temperature (0 to 2)."),
    click.option(
        "--reasoning",
        type=click.Choice(["none", "low", "medium", "high"]),
        help="Set how much the model may reason.",
    ),
)
place_options = _all(
    click.option("-C", "--cwd", metavar="DIR", help="Run as if started in DIR."),
    click.option("--config", "config_file", metavar="FILE", help="Also read this configuration."),
    click.option("--no-project", is_flag=True, help="Ignore AGENTS.md and project settings."),
    click.option("--no-skills", is_flag=True, help="Offer the model no skills."),
)
system_options = _all(
    click.option("-s", "--system", metavar="TEXT", help="Replace the system prompt."),
    click.option("--append-system", metavar="TEXT", help="Append to the system prompt."),
)
_tools = click.option("--tools", metavar="LIST|none", help="Offer only these tools.")
plugin_option = click.option(
    "--plugin",
    "plugins",
    metavar="NAME",
    multiple=True,
    help="Offer the tools of this installed plug-in.",
)
tools_option = _all(_tools, plugin_option)
mcp_options = _all(
    click.option("--mcp", metavar="NAME", multiple=True, help="Use only this MCP server."),
    click.option("--no-mcp", is_flag=True, help="Use no MCP server."),
    click.option(
        "--mcp-config", metavar="FILE", multiple=True, help="Add the MCP servers of a JSON file."
    ),
)
tool_input_option = click.option(
    "--tool-input", is_flag=True, help="Also stream the arguments of tool calls."
)
rule_options = _all(
    click.option(
        "--allow", metavar="RULE", multiple=True, help="Allow calls, as in bash(git log:*)."
    ),
    click.option(
        "--deny", metavar="RULE", multiple=True, help="Deny calls, even if allowed elsewhere."
    ),
    click.option("--ask", metavar="RULE", multiple=True, help="Require approval for calls."),
    click.option(
        "--default-decision",
        type=click.Choice(["allow", "ask", "deny"]),
        help="Decide calls that no rule covers.",
    ),
    click.option("--allow-all", is_flag=True, help="Allow every call that is not denied."),
    click.option(
        "--permissions", metavar="FILE", help="Replace the configured allow and ask rules."
    ),
    click.option(
        "--no-reading",
        "reading",
        flag_value=False,
        is_flag=True,
        default=None,
        help="Require a rule even for commands that only read.",
    ),
)
#: The names of their parameters.
RULES = ("allow", "deny", "ask", "default_decision", "reading", "allow_all", "permissions")
#: Sections in the `--help` of every command that runs prompts.
SECTIONS_OF_A_RUN = {
    "Model": (
        "model", "fallback_model", "max_tokens", "temperature", "reasoning", "pull", "offline",
        "keep_alive",
    ),
    "Rules": ("tools", "plugins", *RULES, "on_ask", "approver_timeout", "read_only"),
    "MCP servers": ("mcp", "no_mcp", "mcp_config"),
    "Sandbox and secrets": ("sandbox", "network", "protect", "env", "redact_env"),
    "Limits": (
        "max_turns", "max_tool_calls", "max_cost", "max_attachment_bytes", "timeout",
        "tool_timeout", "idle_timeout", "first_byte_timeout", "max_retries", "max_parallel",
    ),
}  # fmt: skip


def on_ask_options(help: str, *, asks: bool = True) -> Options:
    """Return the options that say who answers for a call that needs approval.

    `asks` is false where no one can be asked.
    """
    words = [*(["prompt"] if asks else []), "deny", "fail", "exec:COMMAND"]
    return _all(
        click.option(
            "--on-ask",
            type=OnAsk(words),
            metavar="|".join(words),
            help=help,
        ),
        click.option(
            "--approver-timeout",
            type=DURATION,
            metavar="DURATION",
            help="Limit the wait for the program of exec: (60s).",
        ),
    )


confinement_options = _all(
    click.option(
        "--read-only", is_flag=True, default=None, help="Forbid changes to the workspace."
    ),
    click.option(
        "--sandbox",
        type=click.Choice(["auto", "require", "off"]),
        help="Confine bash if possible, always or never.",
    ),
    click.option(
        "--protect",
        type=click.Choice(["all", "tracked"]),
        help="Revert all changes to protected files, or those that differ from HEAD.",
    ),
    click.option(
        "--network",
        type=click.Choice(["on", "off"]),
        help="Allow or block network access; off needs a sandbox.",
    ),
    click.option("--env", metavar="NAME", multiple=True, help="Pass this variable to commands."),
    click.option(
        "--redact-env", metavar="NAME", multiple=True, help="Hide this variable's value in output."
    ),
)
limit_options = _all(
    click.option("--max-turns", type=POSITIVE, metavar="N", help="Stop after N responses (50)."),
    click.option(
        "--max-tool-calls", type=click.IntRange(min=0), metavar="N", help="Stop after N calls."
    ),
    click.option(
        "--max-attachment-bytes",
        type=POSITIVE,
        metavar="N",
        help="Refuse larger attachments (20 MB).",
    ),
    click.option("--max-cost", type=float, metavar="USD", help="Stop when the cost reaches USD."),
    click.option(
        "--timeout", type=DURATION, metavar="DURATION", help="Limit the whole run, as in 90s or 5m."
    ),
    click.option(
        "--tool-timeout", type=DURATION, metavar="DURATION", help="Limit each tool call (120s)."
    ),
    click.option(
        "--idle-timeout",
        type=DURATION,
        metavar="DURATION",
        help="Limit pauses within a response (60s).",
    ),
    click.option(
        "--first-byte-timeout",
        type=DURATION,
        metavar="DURATION",
        help="Limit the wait for a response to begin (300s).",
    ),
    click.option(
        "--max-retries", type=click.IntRange(min=0), metavar="N", help="Limit retries (4)."
    ),
    click.option(
        "--max-parallel", type=POSITIVE, metavar="N", help="Run up to N calls at once (8)."
    ),
)
weights_options = _all(
    click.option("--pull", is_flag=True, help="Download the embedded model if it is missing."),
    click.option("--offline", is_flag=True, help="Never download a model."),
    click.option(
        "--keep-alive",
        type=DURATION,
        metavar="DURATION",
        help="Keep the embedded model loaded this long after a run.",
    ),
)
plain_option = click.option(
    "--plain", is_flag=True, help="Use no colour, Markdown or live line on a terminal."
)
debug_option = click.option("--debug", is_flag=True, help="Log to stderr.")
session_options = _all(
    click.option("--session", metavar="ID", help="Continue a session."),
    click.option(
        "-c", "--continue", "newest", is_flag=True, help="Continue the newest session here."
    ),
    click.option("--fork", is_flag=True, help="Continue in a copy and leave the session as it is."),
)


def run_options(asking: str, *, asks: bool = True) -> Options:
    """Return the options of every command that runs prompts.

    `asking` is the help of `--on-ask`; `asks` is false where no one can be asked.
    """
    return _all(
        model_options,
        place_options,
        system_options,
        tools_option,
        mcp_options,
        rule_options,
        on_ask_options(asking, asks=asks),
        confinement_options,
        limit_options,
        weights_options,
        debug_option,
    )
