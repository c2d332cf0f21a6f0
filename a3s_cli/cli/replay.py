"""`a3s replay`: render a recorded run."""

from __future__ import annotations

from typing import Any

import click


@click.command(epilog="\b\nExample:\n  a3s replay run.ndjson -o raw")
@click.argument("recording", metavar="RUN.ndjson|-")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["pretty", "raw", "json"]),
    help="Set the output format (pretty on a terminal, else json).",
)
def replay(recording: str, output: Any) -> int:
    """Render a recorded run.

    Exit status: 65 if the stream is not valid; the error names the line and
    the field.
    """
    from ..commands.replay import replay as play

    return play(recording, output)
