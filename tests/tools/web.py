"""A small web on loopback for web_fetch: names, servers behind them, and every connection seen.

The tool gets its own idea of which addresses are refused, which lets it reach
one loopback address; nothing else makes the product do so. An audit hook of
the interpreter sees every connection that is begun.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.errors import A3SError
from a3s_cli.files.workspace import Workspace
from a3s_cli.tool_protocol import ToolContext, ToolError, ToolReturn
from a3s_cli.tools.web_fetch import WebFetch, refusal
from tests.support.replies import Reply
from tests.support.server import Server

#: The one loopback address that stands for the public web.
PUBLIC = "127.0.0.1"
connections: list[Any] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and arguments[0].type == socket.SOCK_STREAM:
        connections.append(arguments[1])


sys.addaudithook(_watch)


class Web:
    """A name server and the servers behind its names."""

    def __init__(self) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.lookups: list[str] = []
        self.servers: list[Server] = []

    def serve(self, *replies: Reply) -> str:
        """Start a public server and give its host and port."""
        self.servers.append(Server(replies, "openai-chat"))
        return f"public.test:{self.servers[-1].port}"

    async def resolve(self, host: str, port: int) -> list[str]:
        """Answer a question with the next answer for that name; the last one stays."""
        self.lookups.append(host)
        answers = self.names.get(host, [[PUBLIC]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def refuse(self, address: str) -> str | None:
        return None if address == PUBLIC else refusal(address)

    @property
    def tool(self) -> WebFetch:
        return WebFetch(self.resolve, self.refuse)

    def fetch(self, url: str, given: ToolContext | None = None, **arguments: Any) -> ToolReturn:
        arguments["url"] = url
        assert self.tool.problems(arguments) == []
        return asyncio.run(self.tool.run(arguments, given or context()))

    def read(self, url: str, **arguments: Any) -> str:
        result = self.fetch(url, **arguments)
        assert result.exit_code == 0
        assert result.output is not None
        return result.output

    def error(self, url: str, **arguments: Any) -> str:
        try:
            result = self.fetch(url, **arguments)
        except (ToolError, A3SError) as error:
            return str(error)
        raise AssertionError(f"{url} was fetched: {result}")


def context(**more: Any) -> ToolContext:
    async def drain() -> None:
        pass

    return ToolContext(Workspace(Path.cwd()), lambda _: None, drain, timeout=20.0, **more)


def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Provide a test with a web that no proxy of the machine interferes with."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    connections.clear()
    web = Web()
    yield web
    for server in web.servers:
        server.close()


def page(body: bytes | str, type: str = "text/html", **headers: str) -> Reply:
    data = body.encode() if isinstance(body, str) else body
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(body=data, headers={"content-type": type, **given})


def moved(location: str, status: int = 302) -> Reply:
    return Reply(status=status, body=b"", headers={"location": location})
