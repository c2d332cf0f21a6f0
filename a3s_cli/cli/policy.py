"""`a3s policy test`: what the rules decide about a call."""

from __future__ import annotations

from typing import Any

import click

from .options import RULES, rule_options
from .sections import Sectioned

EPILOG = """\b
Examples:
  a3s policy test --allow 'bash(ls:*)' --input '{"command":"ls | sh"}' bash
  a3s policy test --permissions ci.acl --input - write < call.json
"""


@click.command(
    cls=Sectioned,
    sections={"Rules": RULES},
    epilog=EPILOG,
    context_settings={"max_content_width": 80},
)
@click.argument("tool")
@click.option("--input", metavar="JSON|-", default="{}", help="Set the call's arguments ({}).")
@rule_options
@click.option("-C", "--cwd", metavar="DIR", help="Run as if started in DIR.")
@click.option("--config", "config_file", metavar="FILE", help="Also read this configuration.")
@click.option("--no-project", is_flag=True, help="Ignore the project's configuration.")
def test(**given: Any) -> int:
    """Show how a3s run would decide a call of TOOL.

    It uses the same options and configuration as a3s run, the project's
    included. The decision is printed as one JSON object: decision, rule,
    reason, the simple commands of a script, and a hint if a flag would allow
    the call. Nothing is executed.

    Exit status: 0 allow, 4 ask, 5 deny, 2 an invalid rule or input, 78 an
    invalid configuration.
    """
    from ..commands.policy import PolicyQuestion, judge

    decision = given["default_decision"]
    text, status = judge(
        PolicyQuestion(
            tool=given["tool"],
            input=given["input"],
            rules={kind: given[kind] for kind in ("allow", "deny", "ask")},
            settings={} if decision is None else {"default_decision": decision},
            allow_all=given["allow_all"],
            permissions=given["permissions"],
            config_file=given["config_file"],
            cwd=given["cwd"],
            project=not given["no_project"],
        )
    )
    click.echo(text, nl=False)
    return status


@click.group(epilog="\b\nExample:\n  a3s policy test --permissions ci.acl web_fetch")
def policy() -> None:
    """Test permission rules without running anything."""


policy.add_command(test)
