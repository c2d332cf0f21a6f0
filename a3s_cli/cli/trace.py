"""`a3s trace`: a recorded run as OpenTelemetry spans."""

from __future__ import annotations

import click


@click.command(
    epilog="\b\nExamples:\n  a3s trace run.ndjson > spans.json\n"
    "  a3s trace 1m82 | curl --json @- http://localhost:4318/v1/traces"
)
@click.argument("recording", metavar="RUN.ndjson|ID|-")
def trace(recording: str) -> None:
    """Print a recorded run or a session as OpenTelemetry spans.

    The spans are OTLP/JSON and follow the GenAI semantic conventions: one for the run
    (invoke_agent), each response (chat) and each call (execute_tool), with usage,
    finish reasons and errors, but without prompts, answers, inputs and outputs.
    Each run is a trace; a run inside a run links to the one that started it.
    Exit status: 65 if the stream is invalid or incomplete.
    """
    from ..commands.trace import traced

    click.echo(traced(recording))
