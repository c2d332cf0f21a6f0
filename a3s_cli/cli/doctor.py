"""`a3s doctor`: what a run would find here, and what is missing."""

from __future__ import annotations

import os

import click


@click.command(epilog="\b\nExample:\n  a3s doctor && a3s run 'what is this?'")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def doctor(as_json: bool) -> int:
    """Check the installation and report what is missing.

    Exit status: 0 if a run would work, else 1. The model's server is asked
    for its list of models; nothing else leaves this machine.
    """
    from ..commands.doctor import examine, report
    from ..jsontext import dumps

    findings = examine()
    if as_json:
        rows = [
            {"name": one.name, "state": one.state, "text": one.text}
            | ({"hint": one.hint} if one.hint else {})
            for one in findings
        ]
        click.echo(dumps(rows).decode())
    else:
        click.echo(report(findings, terminal=os.isatty(1)), nl=False)
    return 1 if any(one.state == "bad" for one in findings) else 0
