"""How much of a long session vendors read from their caches, by the rules of each wire.

A cache holds beginnings of prompts: the tools, the system prompt, then the
conversation. What is measured is the share of all bytes of a session's requests that
lie in a beginning that an earlier request has left there.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.sockets import Asked, RawServer, response

TURNS = 20
#: Blocks that the Messages API looks back from a mark for a beginning that is there.
LOOK_BACK = 20
LEAST = {"openai-chat": 0.85, "openai-responses": 0.85, "anthropic": 0.85, "gemini": 0.85}
each_wire = pytest.mark.parametrize("wire", wires.NAMES)


def unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: unmarked(one) for key, one in value.items() if key != "cache_control"}
    return [unmarked(one) for one in value] if isinstance(value, list) else value


def segments(wire: str, body: dict[str, Any]) -> list[Any]:
    """The parts of a prompt, in the order in which the vendor reads them."""
    if wire == "openai-chat":
        return [body.get("tools"), *body["messages"]]
    if wire == "openai-responses":
        return [body.get("tools"), body.get("instructions"), *body["input"]]
    if wire == "anthropic":
        blocks = [[one["role"], block] for one in body["messages"] for block in one["content"]]
        return [*body.get("tools", ()), *body.get("system", ()), *blocks]
    parts = [[one["role"], part] for one in body["contents"] for part in one["parts"]]
    return [body.get("tools"), body.get("systemInstruction"), *parts]


class Cache:
    """What a vendor has kept of the prompts that it was sent."""

    def __init__(self, wire: str) -> None:
        self._wire = wire
        self._prompts: list[list[str]] = []
        self._written: set[tuple[str, ...]] = set()

    def read(self, body: dict[str, Any]) -> tuple[int, int]:
        """Take a request; return the bytes that are read from the cache, and all of them."""
        parts = segments(self._wire, body)
        prompt = [json.dumps(unmarked(part)) for part in parts]
        if self._wire == "anthropic":
            known = self._marked(parts, prompt)
        else:
            known = max((common(prompt, earlier) for earlier in self._prompts), default=0)
        self._prompts.append(prompt)
        return sum(map(len, prompt[:known])), sum(map(len, prompt))

    def _marked(self, parts: Sequence[Any], prompt: Sequence[str]) -> int:
        marks = [n + 1 for n, part in enumerate(parts) if '"cache_control"' in json.dumps(part)]
        assert len(marks) <= 4, "the API takes no more"
        known = [
            length
            for mark in marks
            for length in range(mark, max(mark - LOOK_BACK, 0), -1)
            if tuple(prompt[:length]) in self._written
        ]
        self._written.update(tuple(prompt[:mark]) for mark in marks)
        return max(known, default=0)


def common(one: Sequence[str], other: Sequence[str]) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return length


def session(a3s: Bench, wire: str, model: str = "") -> list[dict[str, Any]]:
    """Run a session of twenty turns in two runs; return what was sent."""
    command = {"command": "seq 1 300"}
    calls = [wires.call(wire, "bash", command, f"call_{n}") for n in range(TURNS - 2)]
    bodies = [*calls, wires.text(wire, "one"), wires.text(wire, "two")]

    def answer(connection: socket.socket, _: Asked) -> None:
        number = min(len(server.requests), len(bodies)) - 1
        connection.sendall(response(bodies[number]))

    with RawServer(answer) as server:
        file = a3s.root / "c.acl"
        file.write_text(wires.config(wire, server.url, model))
        for prompt, resumed in (("first", ()), ("second", ("--continue",))):
            flags = ("--config", str(file), "-m", "test/m-1", "--allow", "bash", *resumed)
            assert a3s("run", *flags, prompt).last["type"] == "end"
        return [json.loads(asked.body) for asked in server.requests]


@each_wire
def test_most_of_a_long_session_is_read_from_the_cache(a3s: Bench, wire: str) -> None:
    sent = session(a3s, wire)
    assert len(sent) == TURNS
    cache, hit, total = Cache(wire), 0, 0
    for body in sent:
        read, size = cache.read(body)
        hit, total = hit + read, total + size
    print(f"{wire}: {hit / total:.1%} of {total} bytes")
    assert hit / total >= LEAST[wire], f"{hit / total:.1%}"


@each_wire
def test_every_request_begins_as_the_one_before_it(a3s: Bench, wire: str) -> None:
    """Also the one with which the session is resumed in another process."""
    prompts = [
        [json.dumps(unmarked(one)) for one in segments(wire, body)] for body in session(a3s, wire)
    ]
    for earlier, later in pairwise(prompts):
        assert later[: len(earlier)] == earlier


def test_a_shortened_conversation_keeps_its_beginning(a3s: Bench) -> None:
    sent = session(a3s, "anthropic", "limit = { context = 5000, output = 500 }")
    asked = [unmarked(body) for body in sent if body.get("tools")]
    sizes = [len(json.dumps(one)) for one in asked]
    assert any(later < one for one, later in pairwise(sizes)), sizes
    assert len({json.dumps([one["tools"], one["system"]]) for one in asked}) == 1
    # It is shortened seldom, and between that it grows at its end.
    prompts = [[json.dumps(one) for one in segments("anthropic", body)] for body in asked]
    grown = [later[: len(one)] == one for one, later in pairwise(prompts)]
    assert grown.count(True) >= len(grown) // 2, grown
