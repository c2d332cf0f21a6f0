"""`a3s serve`: the event stream in a browser and for existing chat UIs."""

from __future__ import annotations

from typing import Any

import click

from .options import SECTIONS_OF_A_RUN, request, run_options, tool_input_option
from .sections import Sectioned

EPILOG = """\b
Examples:
  a3s serve --open
  a3s serve --allow 'bash(git log:*)' --sandbox require
  curl -N -H "Authorization: Bearer $TOKEN" --json '{"message":"hello"}' \\
    http://127.0.0.1:8321/api/chat
"""


#: The sections of `--help`.
SECTIONS = {
    "Server": ("host", "port", "hosts", "origins", "opens"),
    "Prompt": ("system", "append_system", "tool_input"),
    **SECTIONS_OF_A_RUN,
}


@click.command(
    cls=Sectioned,
    sections=SECTIONS,
    epilog=EPILOG,
    context_settings={"max_content_width": 80},
)
@click.option("--host", metavar="HOST", default="127.0.0.1", help="Listen on HOST (127.0.0.1).")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=8321,
    help="Listen on port N (8321); 0 picks a free one.",
)
@click.option(
    "--allow-origin",
    "origins",
    metavar="ORIGIN",
    multiple=True,
    help="Accept requests with the token from pages of ORIGIN.",
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="Accept requests to this name, such as a proxy's.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
@tool_input_option
@run_options("When a call needs approval, ask on the page, deny, end the run or ask a program.")
def serve(**given: Any) -> None:
    """Serve a web page for talking to the agent, and its HTTP API.

    When the server is ready, it prints one line: the address to open, which
    contains the token. Runs, rules, models and sessions work as in a3s run.
    """
    try:
        from ..serve import server
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        from ..config.installation import how_to_add

        raise click.UsageError(
            f"serve needs {error.name}, which is not installed:  {how_to_add('serve')}"
        ) from None

    where = server.Where(
        given["host"],
        given["port"],
        given["origins"],
        given["opens"],
        given["cwd"],
        tuple(map(server.checked_name, given["hosts"])),
    )
    server.serve(request(given), given["tools"], where, click.echo, debug=given["debug"])
