"""`a3s mcp`: the MCP servers that are configured, and whether they work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_OPTIONS = (
    click.option("-C", "--cwd", metavar="DIR", help="Run as if started in DIR."),
    click.option("--config", "config_file", metavar="FILE", help="Also read this configuration."),
    click.option("--no-project", is_flag=True, help="Ignore the project's servers."),
    click.option(
        "--mcp-config", metavar="FILE", multiple=True, help="Add the MCP servers of a JSON file."
    ),
    click.option("--debug", is_flag=True, help="Log what the servers print on stderr."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(name="list", epilog="\b\nExample:\n  a3s mcp list --json | jq -r '.[].name'")
@_shared
def list_servers(**given: Any) -> int:
    """Start every server and show what each offers, or what is wrong.

    Exit status: 69 if a server does not work and is not optional.
    """
    return _done(None, **given)


@click.command(epilog="\b\nExample:\n  a3s mcp test github")
@click.argument("name")
@_shared
def test(name: str, **given: Any) -> int:
    """Start the server NAME and show how long it takes, or what is wrong.

    Exit status: 0 if it works, 69 if it does not, 2 if there is no such server.
    """
    return _done(name, **given)


@click.command(epilog="\b\nExample:\n  a3s mcp tools github --json | jq -r '.[].name'")
@click.argument("name")
@_shared
def tools(name: str, **given: Any) -> int:
    """Show the tools of the server NAME, under the names that rules use.

    What the server says about a tool (read-only, destructive) is shown but not
    trusted; only read_only in your own configuration counts.
    """
    return _done(name, tools=True, **given)


def _done(name: str | None, *, tools: bool = False, **given: Any) -> int:
    from ..commands.mcp import McpQuestion, answer

    text, status = answer(
        McpQuestion(
            name=name,
            tools=tools,
            as_json=given["as_json"],
            cwd=given["cwd"],
            config_file=given["config_file"],
            project=not given["no_project"],
            files=given["mcp_config"],
            debug=given["debug"],
        )
    )
    click.echo(text, nl=False)
    return status


@click.group(epilog="\b\nExample:\n  a3s mcp list")
def mcp() -> None:
    """Show and test MCP servers."""


mcp.add_command(list_servers)
mcp.add_command(test)
mcp.add_command(tools)
