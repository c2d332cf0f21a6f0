"""JSON-RPC against its specification, against the editors' own client library, and at any cut."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from itertools import pairwise
from typing import Any

import orjson
import pytest
from acp.connection import Connection
from acp.exceptions import RequestError
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.jsonrpc import ACP, LONGEST, MCP, Dialect, Disconnected, Peer, RpcError
from a3s_cli.jsontext import LineSplitter

#: Seconds after which a test has failed.
PATIENCE = 20.0


class Desk:
    """Answers `echo`, refuses `refuse`, breaks at `break`, and waits for ever at `wait`."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Mapping[str, Any]]] = []
        self.waiting = asyncio.Event()
        self.stopped = asyncio.Event()

    async def request(self, method: str, params: Mapping[str, Any]) -> Any:
        if method == "echo":
            return dict(params)
        if method == "refuse":
            raise RpcError(-32000, "no", {"hint": "ask nicely"})
        if method == "break":
            raise ZeroDivisionError("division by zero")
        if method != "wait":
            raise RpcError(-32601, f"there is no method {method}")
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()

    def notification(self, method: str, params: Mapping[str, Any]) -> None:
        self.heard.append((method, params))


class Wire:
    """A peer whose other end the test plays by hand."""

    def __init__(self, dialect: Dialect = ACP) -> None:
        self.desk = Desk()
        self.sent: list[Any] = []
        self.peer = Peer(lambda line: self.sent.append(orjson.loads(line)), self.desk, dialect)

    async def answers(self, *lines: str | bytes) -> list[Any]:
        for line in lines:
            self.peer.receive(line)
        await self.peer.settled()
        await asyncio.sleep(0)
        sent, self.sent = self.sent, []
        return sent


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), PATIENCE))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("garbage", (None, -32700)),
        ('{"jsonrpc":"2.0","id":1,"method":"echo"', (None, -32700)),
        ('{"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":NaN}}', (None, -32700)),
        ("[" * 100_000, (None, -32700)),
        (b'{"jsonrpc":"2.0","id":1,"method":"e\xff"}', (None, -32700)),
        (b" " + b"x" * LONGEST, (None, -32700)),
        ("17", (None, -32600)),
        ("[]", (None, -32600)),
        ("{}", (None, -32600)),
        ('{"jsonrpc":"2.0"}', (None, -32600)),
        ('{"jsonrpc":"1.0","id":7,"method":"echo"}', (7, -32600)),
        ('{"jsonrpc":"2.0","id":7,"method":3}', (7, -32600)),
        ('{"jsonrpc":"2.0","id":{},"method":"echo"}', (None, -32600)),
        ('{"jsonrpc":"2.0","id":true,"method":"echo"}', (None, -32600)),
        ('{"jsonrpc":"2.0","id":1e999,"method":"echo"}', (None, -32600)),
        ('{"jsonrpc":"2.0","id":7,"method":"echo","params":[1]}', (7, -32602)),
        ('{"jsonrpc":"2.0","id":"a","method":"nothing"}', ("a", -32601)),
        ('{"jsonrpc":"2.0","id":0,"method":"break"}', (0, -32603)),
        ('{"jsonrpc":"2.0","id":1.5,"method":"refuse"}', (1.5, -32000)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_answered_with_its_number(
    line: str | bytes, expected: tuple[Any, int]
) -> None:
    async def test() -> None:
        (answer,) = await Wire().answers(line)
        assert (answer["id"], answer["error"]["code"]) == expected
        assert answer["jsonrpc"] == "2.0"
        assert answer["error"]["message"]

    run(test)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   \t",
        '{"jsonrpc":"2.0","method":"unknown","params":[1]}',
        '{"jsonrpc":"2.0","method":"unknown","params":"x"}',
        '{"jsonrpc":"2.0","method":"$/cancel_request","params":{"requestId":[1]}}',
        '{"jsonrpc":"2.0","method":"$/cancel_request","params":{"requestId":99}}',
        '{"jsonrpc":"2.0","method":"$/cancel_request"}',
        '{"jsonrpc":"2.0","id":99,"result":null}',
        '{"jsonrpc":"2.0","id":99,"error":{"code":"x"}}',
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}',
    ],
)
def test_what_asks_for_no_answer_gets_none(line: str) -> None:
    run(lambda: _silent(line))


async def _silent(line: str) -> None:
    assert await Wire().answers(line) == []


def test_an_error_carries_its_data_and_a_result_any_value() -> None:
    async def test() -> None:
        wire = Wire()
        first, second = await wire.answers(
            '{"jsonrpc":"2.0","id":1,"method":"refuse"}',
            '{"jsonrpc":"2.0","id":2,"method":"echo","params":{"a":"\\ud83d\\ude00","b":null}}',
        )
        wrong = {"code": -32000, "message": "no", "data": {"hint": "ask nicely"}}
        assert first == {"jsonrpc": "2.0", "id": 1, "error": wrong}
        assert second == {"jsonrpc": "2.0", "id": 2, "result": {"a": "😀", "b": None}}

    run(test)


@pytest.mark.parametrize("dialect", [ACP, MCP], ids=["acp", "mcp"])
def test_a_request_can_be_cancelled_by_who_sent_it(dialect: Dialect) -> None:
    async def test() -> None:
        wire = Wire(dialect)
        wire.peer.receive('{"jsonrpc":"2.0","id":"w","method":"wait"}')
        await wire.desk.waiting.wait()
        cancel = {"jsonrpc": "2.0", "method": dialect.cancel, "params": {"requestId": "w"}}
        answers = await wire.answers(orjson.dumps(cancel))
        assert wire.desk.stopped.is_set()
        expected = [("w", -32800)] if dialect.answers_cancelled else []
        assert [(one["id"], one["error"]["code"]) for one in answers] == expected

    run(test)


def test_a_request_that_is_cancelled_before_its_first_step_is_answered_too() -> None:
    async def test() -> None:
        answers = await Wire().answers(
            '{"jsonrpc":"2.0","id":1,"method":"wait"}',
            '{"jsonrpc":"2.0","method":"$/cancel_request","params":{"requestId":1}}',
        )
        assert [(one["id"], one["error"]["code"]) for one in answers] == [(1, -32800)]

    run(test)


def test_an_id_that_is_in_use_and_a_flood_are_refused() -> None:
    async def test() -> None:
        wire = Wire()
        for number in (*range(1000), 7, 1000):
            wire.peer.receive(f'{{"jsonrpc":"2.0","id":{number},"method":"wait"}}')
        refused = [(one["id"], one["error"]["code"]) for one in wire.sent]
        assert refused == [(7, -32600), (1000, -32600)]
        wire.peer.close()
        await wire.peer.settled()
        assert len(wire.sent) == 2  # after the end nothing is said

    run(test)


def test_closing_fails_what_was_asked() -> None:
    async def test() -> None:
        wire = Wire()
        asked = asyncio.ensure_future(wire.peer.request("x", {}))
        await asyncio.sleep(0)
        wire.peer.close("the editor went away")
        with pytest.raises(Disconnected, match="the editor went away"):
            await asked
        with pytest.raises(Disconnected):
            await wire.peer.request("y", {})
        assert [one["method"] for one in wire.sent] == ["x"]

    run(test)


# -- the editors' own library at the other end -------------------------------------------


@contextlib.asynccontextmanager
async def connected(desk: Desk, theirs: Any) -> AsyncIterator[tuple[Peer, Connection]]:
    """A peer of ours and a connection of theirs, over a socket."""
    one, other = socket.socketpair()
    ours_in, ours_out = await asyncio.open_connection(sock=one, limit=LONGEST)
    their_in, their_out = await asyncio.open_connection(sock=other, limit=LONGEST)
    peer = Peer(ours_out.write, desk)
    connection = Connection(theirs, their_out, their_in)

    async def listen() -> None:
        lines = LineSplitter(LONGEST)
        while data := await ours_in.read(4096):
            for line in lines.feed(data):
                peer.receive(line)

    listening = asyncio.ensure_future(listen())
    try:
        yield peer, connection
    finally:
        peer.close()
        await connection.close()
        listening.cancel()
        for writer in (ours_out, their_out):
            writer.close()


def test_both_sides_ask_at_the_same_time() -> None:
    async def theirs(method: str, params: Any, is_notification: bool) -> Any:
        if method == "fail":
            raise RequestError(-32042, "theirs", {"why": 1})
        return {"method": method, "params": params}

    async def test() -> None:
        desk = Desk()
        async with connected(desk, theirs) as (peer, connection):
            results = await asyncio.gather(
                *(peer.request("ask", {"n": n}) for n in range(50)),
                *(connection.send_request("echo", {"n": n, "s": "é" * n}) for n in range(50)),
            )
            assert results == [
                *({"method": "ask", "params": {"n": n}} for n in range(50)),
                *({"n": n, "s": "é" * n} for n in range(50)),
            ]
            with pytest.raises(RpcError) as ours:
                await peer.request("fail", {})
            assert (ours.value.code, ours.value.data) == (-32042, {"why": 1})
            with pytest.raises(RequestError) as refused:
                await connection.send_request("refuse", {})
            assert (refused.value.code, refused.value.data) == (-32000, {"hint": "ask nicely"})
            await connection.send_notification("told", {"a": [1]})
            await connection.send_request("echo", {})
            assert desk.heard == [("told", {"a": [1]})]

    run(test)


def test_cancelling_here_reaches_the_other_side() -> None:
    heard: list[Any] = []

    async def theirs(method: str, params: Any, is_notification: bool) -> Any:
        if is_notification:
            heard.append((method, params))
        elif method == "slow":
            await asyncio.Event().wait()
        return {}

    async def test() -> None:
        async with connected(Desk(), theirs) as (peer, _):
            asked = asyncio.ensure_future(peer.request("slow", {}))
            await asyncio.sleep(0)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            await peer.request("after", {})
            assert heard == [("$/cancel_request", {"requestId": 1})]

    run(test)


# -- lines ---------------------------------------------------------------------------------


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6), st.integers(1, 12))
def test_lines_do_not_depend_on_how_they_were_cut(data: bytes, cuts: list[int], limit: int) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(places)]
    splitter = LineSplitter(limit)
    found = [line for piece in pieces for line in splitter.feed(piece)] + splitter.finish()
    *whole, last = data.split(b"\n")
    expected = [line.removesuffix(b"\r") for line in (*whole, *([last] if last else []))]
    assert found == [line if len(line) <= limit else line[: limit + 1] for line in expected]
