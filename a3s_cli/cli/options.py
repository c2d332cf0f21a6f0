"""Options that commands share: a rule means the same to a run and to a test of the rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_RULES = (
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


def rule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of the rules."""
    for option in reversed(_RULES):
        command = option(command)
    return command
