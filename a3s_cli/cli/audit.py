"""`a3s audit`: a verdict on what runs have done."""

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
@click.argument("paths", metavar="[RUN.ndjson|-]...", nargs=-1)
@click.option("--policy", metavar="FILE", help="What runs must and must not have done (TOML).")
@click.option("--verify", is_flag=True, help="Check the chain of recordings.")
@click.option("--head", metavar="SHA256", help="The recording's head, kept elsewhere.")
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "json", "junit", "github"]),
    default="text",
    help="github: annotations, and the step's summary.",
)
@click.option("--include-content", "content", is_flag=True, help="Quote commands and paths.")
def audit(paths: tuple[str, ...], **given: Any) -> int:
    """Judge recorded or running streams.

    Exit status: 0 clean, 5 an error-severity rule was broken, 65 not a whole,
    valid stream (the rest is judged as well). Of several streams the worst
    counts, and 65 is worse than 5.
    """
    from ..commands.audit import audit as judge

    return judge(paths, lambda text: click.echo(text, nl=False), **given)
