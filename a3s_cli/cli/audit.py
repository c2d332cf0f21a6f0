"""`a3s audit`: check what runs did against a policy."""

from __future__ import annotations

from typing import Any

import click

EPILOG = """\b
Examples:
  a3s run -f task.md --record run.ndjson | a3s audit - --policy audit.toml
  a3s audit run.ndjson --head "$HEAD" -o junit > audit.xml

\b
A rule of a policy (must_not, must_only, must_not_write, must_end, max_…):
  [[rule]]
  id = "no-network"
  severity = "error"
  message = "Nothing may be fetched."
  must_not = ["bash(curl:*)", "web_fetch"]
"""


@click.command(epilog=EPILOG, context_settings={"max_content_width": 80})
@click.argument("paths", metavar="[RUN.ndjson|DIR|-]...", nargs=-1)
@click.option("--policy", metavar="FILE", help="Check the runs against this policy (TOML).")
@click.option(
    "--verify/--no-verify",
    default=None,
    help="Require a hash chain, or skip checking it; by default it is checked where there is one.",
)
@click.option("--head", metavar="SHA256", help="Require that the recording ends with this hash.")
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "json", "junit", "github"]),
    default="text",
    help="Set the report format; github also writes the step summary.",
)
@click.option(
    "--include-content", "content", is_flag=True, help="Quote commands and paths in the report."
)
def audit(paths: tuple[str, ...], **given: Any) -> int:
    """Check recorded or live event streams against a policy.

    DIR is the directory of a batch: its journal and every run that it recorded are checked.

    Exit status: 0 if all is well, 5 if a rule of severity "error" was broken, 65 if a
    stream is incomplete or invalid (its valid part is checked too). With several
    streams, the worst counts; 65 is worse than 5.
    """
    from ..commands.audit import audit as judge

    return judge(paths, lambda text: click.echo(text, nl=False), **given)
