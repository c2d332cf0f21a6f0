"""`a3s policy test`: what the rules decide about a call."""

from __future__ import annotations

from typing import Any

import click

from .options import RULES, rule_options
from .sections import Sectioned

EPILOG = """\b
Examples:
  a3s policy test --allow 'bash(ls:*)' bash 'ls | sh'
  a3s policy test --permissions ci.acl --input - write < call.json
"""


@click.command(
    cls=Sectioned,
    sections={"Rules": RULES},
    epilog=EPILOG,
    context_settings={"max_content_width": 80},
)
@click.argument("tool")
@click.argument("subject", metavar="[ARG]", required=False)
@click.option("--input", metavar="JSON|-", help="Set all of the call's arguments.")
@rule_options
@click.option("-C", "--cwd", metavar="DIR", help="Run as if started in DIR.")
@click.option("--config", "config_file", metavar="FILE", help="Also read this configuration.")
@click.option("--no-project", is_flag=True, help="Ignore the project's configuration.")
def test(**given: Any) -> int:
    """Show how a3s run would decide a call of TOOL on ARG.

    ARG is the command, the path or the URL that the call acts on.

    It uses the same options and configuration as a3s run, the project's
    included. The decision is printed as one JSON object: decision, rule,
    reason, the simple commands of a script, and a hint if a flag would allow
    the call. Nothing is executed.

    Exit status: 0 allow, 4 ask, 5 deny, 2 an invalid rule or input, 78 an
    invalid configuration.
    """
    from ..commands.policy import PolicyQuestion, judge

    settings = {name: given[name] for name in ("default_decision", "reading")}
    text, status = judge(
        PolicyQuestion(
            tool=given["tool"],
            input=given["input"],
            subject=given["subject"],
            rules={kind: given[kind] for kind in ("allow", "deny", "ask")},
            settings={name: value for name, value in settings.items() if value is not None},
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
