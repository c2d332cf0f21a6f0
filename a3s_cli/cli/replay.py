"""`a3s replay`: render a recorded run again."""

from __future__ import annotations

from typing import Any

import click


@click.command(epilog="\b\nExample:\n  a3s replay run.ndjson -o raw")
@click.argument("recording", metavar="RUN.ndjson|-")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["pretty", "raw", "json"]),
    help="pretty on a terminal, else json.",
)
def replay(recording: str, output: Any) -> int:
    """Render a recorded run again.

    Exit status 65 names the line and the field where a stream is not valid.
    """
    from ..commands.replay import replay as play

    return play(recording, output)
