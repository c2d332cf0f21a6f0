"""`a3s schema`: the event contract as a JSON Schema."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExample:\n  a3s schema | jq '.[\"$defs\"] | keys'")
def schema() -> None:
    """Print the JSON Schema of one line of the event stream."""
    from ..stream.schema import event_schema

    click.echo(event_schema(), nl=False)
