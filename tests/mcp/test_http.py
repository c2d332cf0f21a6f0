"""Streamable HTTP, against a server that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ..support.a3s import Bench
from ..support.replies import call, text
from .bench import Scripted
from .scripted import ECHO

#: (what a request is answered with: status, headers, body), by what was asked.
Answer = tuple[int, dict[str, str], bytes]
JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream"}


class Seen:
    """The requests that a server has seen: its method, headers and message."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []

    def methods(self) -> list[str]:
        return [
            f"{verb} {body.get('method', '') if body else ''}".strip()
            for verb, _, body in self.requests
        ]

    def headers(self, name: str) -> list[str | None]:
        return [headers.get(name) for _, headers, _ in self.requests]


def result(message: Any, value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": value}).encode()


def usual(message: Any) -> Answer:
    """Answer as a plain server does."""
    method = message.get("method")
    if method == "initialize":
        can = {"tools": {}}
        told = {"protocolVersion": "2025-06-18", "capabilities": can, "serverInfo": {"name": "x"}}
        return 200, {**JSON, "mcp-session-id": "s1"}, result(message, told)
    if method == "tools/list":
        return 200, JSON, result(message, {"tools": [ECHO]})
    if method == "tools/call":
        said = message["params"]["arguments"]["text"]
        return 200, JSON, result(message, {"content": [{"type": "text", "text": said}]})
    return 202, {}, b""


@contextmanager
def serving(answer: Callable[[str, dict[str, str], Any], Answer]) -> Iterator[tuple[str, Seen]]:
    """Serve on a loopback port, as `answer` says: verb, headers, message."""
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            size = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(size)) if size else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.requests.append((self.command, headers, body))
            status, named, content = answer(self.command, headers, body)
            self.send_response(status)
            for name, value in named.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/mcp", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def run(a3s: Bench, scripted: Scripted, url: str, keys: str = "", **options: Any) -> Any:
    scripted.write(f'mcp_servers "it" {{ url = "{url}"  {keys} }}\n')
    script = [*(call("mcp__it__echo", {"text": word}) for word in ("hi", "ho")), text("ok")]
    return a3s("run", "go", "--allow", "mcp__it", script=script, **options)


def test_a_session_from_its_beginning_to_its_end(a3s: Bench, scripted: Scripted) -> None:
    keys = 'bearer_token = env("IT_TOKEN")  headers { "X-Team" = "a" }'
    with serving(lambda verb, headers, message: usual(message or {})) as (url, seen):
        got = run(a3s, scripted, url, keys, env={"IT_TOKEN": "secret-0123456789abc"})
    assert [end["toolOutput"] for end in got.of("tool_end")] == ["hi", "ho"], got.events
    assert seen.methods() == [
        "POST initialize", "POST notifications/initialized", "POST tools/list",
        "POST tools/call", "POST tools/call", "DELETE",
    ]  # fmt: skip
    assert set(seen.headers("authorization")) == {"Bearer secret-0123456789abc"}
    assert set(seen.headers("x-team")) == {"a"}
    assert seen.headers("mcp-session-id") == [None, *["s1"] * 5]
    assert seen.headers("mcp-protocol-version") == [None, *["2025-06-18"] * 5]


@pytest.mark.parametrize(
    ("status", "body", "why", "hint"),
    [
        (401, b"", "it refused the credentials (HTTP status 401)", "bearer_token"),
        (500, b"out of order", "it answered with HTTP status 500: out of order", None),
        (
            200,
            b"<html>",
            "its answer is not a message of the protocol: this is not JSON: "
            "Expecting value: line 1 column 1 (char 0)",
            None,
        ),
        (302, b"", "redirects to elsewhere.example", None),
    ],
)
def test_a_server_that_refuses(
    a3s: Bench, scripted: Scripted, status: int, body: bytes, why: str, hint: str | None
) -> None:
    named = {**JSON, "location": "http://elsewhere.example/mcp"}
    with serving(lambda *_: (status, named, body)) as (url, _):
        got = run(a3s, scripted, url)
    assert (got.status, got.last["code"]) == (69, "unavailable")
    assert why in got.last["error"] and (hint or "") in got.last.get("hint", "")


def test_a_session_whose_name_cannot_be_sent_back(a3s: Bench, scripted: Scripted) -> None:
    def answer(_: str, __: dict[str, str], message: Any) -> Answer:
        status, headers, body = usual(message)
        return status, {**headers, "mcp-session-id": "s\xe9"}, body

    with serving(answer) as (url, seen):
        got = run(a3s, scripted, url)
    assert got.last["type"] == "end"
    assert b"a bug" not in got.stderr
    assert set(seen.headers("mcp-session-id")) == {None}


def test_an_address_where_nobody_listens(a3s: Bench, scripted: Scripted) -> None:
    got = run(a3s, scripted, "http://127.0.0.1:9/mcp")
    assert got.status == 69 and "could not connect to 127.0.0.1:9" in got.last["error"]


def test_a_session_that_expires_is_begun_anew(a3s: Bench, scripted: Scripted) -> None:
    calls_seen: list[int] = []

    def answer(verb: str, headers: dict[str, str], message: Any) -> Answer:
        if message and message.get("method") == "tools/call":
            calls_seen.append(1)
            if len(calls_seen) == 1:
                return 404, {}, b""
        return usual(message or {})

    with serving(answer) as (url, seen):
        got = run(a3s, scripted, url)
    first, second = got.of("tool_end")
    assert first["toolOutput"] == "the MCP server it failed: its session has expired"
    assert second["toolOutput"] == "ho"
    assert seen.methods().count("POST initialize") == 2


def test_an_answer_that_broke_off_is_taken_up_again(a3s: Bench, scripted: Scripted) -> None:
    """Progress comes in the first piece, the answer in the second, from behind its last event."""
    pending: list[Any] = []

    def answer(verb: str, headers: dict[str, str], message: Any) -> Answer:
        if verb == "GET":
            assert headers["last-event-id"] == "e1"
            return 200, STREAM, b"id: e2\ndata: " + usual(pending[-1])[2] + b"\n\n"
        if message and message.get("method") == "tools/call":
            pending.append(message)
            token = message["params"]["_meta"]["progressToken"]
            told = {"progressToken": token, "progress": 1, "message": "half"}
            note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": told}
            data = json.dumps(note).encode()
            return 200, STREAM, b"retry: 10\nid: e1\ndata: " + data + b"\n\n"
        return usual(message or {})

    with serving(answer) as (url, _):
        got = run(a3s, scripted, url)
    assert [end["toolOutput"] for end in got.of("tool_end")] == ["hi", "ho"]
    assert [delta["text"] for delta in got.of("tool_output_delta")] == ["1 half\n"] * 2


def test_an_answer_that_never_comes_back(a3s: Bench, scripted: Scripted) -> None:
    def answer(verb: str, headers: dict[str, str], message: Any) -> Answer:
        if message and message.get("method") == "tools/call":
            return 200, STREAM, b": nothing\n\n"
        return usual(message or {})

    with serving(answer) as (url, _):
        got = run(a3s, scripted, url)
    said = {end["toolOutput"] for end in got.of("tool_end")}
    assert said == {"the MCP server it failed: the stream of its answer broke off"}


def test_a_list_that_changes_is_heard_of(a3s: Bench, scripted: Scripted) -> None:
    """On the stream that a server of the first era says things on unasked."""
    lists: list[str] = []
    told = b'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n'

    def answer(verb: str, headers: dict[str, str], message: Any) -> Answer:
        method = (message or {}).get("method")
        if verb == "GET":
            return 200, STREAM, told
        if method == "initialize":
            can = {"tools": {"listChanged": True}}
            said = {"protocolVersion": "2025-06-18", "capabilities": can}
            return 200, JSON, result(message, said)
        if method == "tools/list":
            lists.append(method)
            also = [{**ECHO, "name": "other"}] if len(lists) > 1 else []
            return 200, JSON, result(message, {"tools": [ECHO, *also]})
        return usual(message or {})

    with serving(answer) as (url, _):
        got = run(a3s, scripted, url)
    first, second = got.of("tools_changed")
    assert first["tools"][-1] == "mcp__it__echo"
    assert second["tools"][-2:] == ["mcp__it__echo", "mcp__it__other"]
