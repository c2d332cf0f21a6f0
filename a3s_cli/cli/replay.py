"""`a3s replay`: render a recorded run."""

from __future__ import annotations

from typing import Any

import click

from .options import plain_option


@click.command(epilog="\b\nExamples:\n  a3s replay run.ndjson -o raw\n  a3s replay 1m82 | less")
@click.argument("recording", metavar="RUN.ndjson|ID|-")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["pretty", "raw", "json"]),
    help="Set the output format (pretty on a terminal, else json).",
)
@plain_option
def replay(recording: str, output: Any, plain: bool) -> int:
    """Render a recorded run or a session, with all output.

    Exit status: 65 if the stream is not valid; the error names the line and
    the field.
    """
    from ..commands.replay import replay as play

    return play(recording, output, plain=plain)
