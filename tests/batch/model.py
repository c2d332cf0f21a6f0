"""A model for thousands of requests: one event loop in a thread, answers that follow the prompt.

    say WORD            the word
    run COMMAND         a call of bash, then "done"
    wait                nothing before `open` is set
    pause SECONDS       "yes", after so many seconds
    fail STATUS         this status

`rate` makes it allow so many requests a second and answer the rest with 429.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from typing import Any

USAGE = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}


def _chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    value = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps({**value, "choices": [choice], **more}).encode() + b"\n\n"


def said(text: str) -> bytes:
    last = _chunk({}, "stop", usage=USAGE)
    return _chunk({"content": text}) + last + b"data: [DONE]\n\n"


def called(command: str) -> bytes:
    function = {"name": "bash", "arguments": json.dumps({"command": command})}
    delta = {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]}
    return _chunk(delta) + _chunk({}, "tool_calls", usage=USAGE) + b"data: [DONE]\n\n"


class Model:
    """The server. Close it."""

    def __init__(
        self,
        *,
        rate: float | None = None,
        headers: dict[str, str] | None = None,
        at: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.rate = rate
        self._at = at
        #: What a 429 says besides.
        self.headers = headers or {}
        self.prompts: Counter[str] = Counter()
        #: The keys that were presented.
        self.keys: set[str] = set()
        self.allowed: list[float] = []
        self.refused = 0
        self.waiting = 0
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def environment(self) -> dict[str, str | None]:
        return {"OPENAI_BASE_URL": self.url, "OPENAI_API_KEY": "sk-bench-0123456789abcdef"}

    def open(self) -> None:
        """Answer what waits."""
        self._loop.call_soon_threadsafe(self._open.set)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def wait_for_waiting(self, number: int, timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while self.waiting < number:
            assert time.monotonic() < deadline, f"only {self.waiting} requests wait"
            time.sleep(0.01)

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        made = asyncio.start_server(self._connection, *self._at, backlog=512, limit=1 << 24)
        server = self._loop.run_until_complete(made)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.keys.add(_header(head, b"authorization").removeprefix("Bearer "))
                size = int(head.lower().partition(b"content-length:")[2].split()[0])
                status, headers, body = await self._answer(
                    json.loads(await reader.readexactly(size))
                )
                kind = "text/event-stream" if status == 200 else "application/json"
                lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}"]
                lines += [f"content-length: {len(body)}"]
                lines += [f"{name}: {value}" for name, value in headers.items()]
                writer.write("\r\n".join([*lines, "", ""]).encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        now = time.monotonic()
        if self.rate and self.allowed and now - self.allowed[-1] < 1 / self.rate:
            self.refused += 1
            return 429, self.headers, b'{"error": {"message": "too fast"}}'
        self.allowed.append(now)
        last = request["messages"][-1]
        prompts = [one["content"] for one in request["messages"] if one["role"] == "user"]
        verb, _, rest = _text(prompts[-1]).partition(" ")
        self.prompts[_text(prompts[-1])] += 1
        if verb == "wait":
            self.waiting += 1
            await self._open.wait()
        if verb == "pause":
            await asyncio.sleep(float(rest))
        if verb == "fail":
            return int(rest), {}, b'{"error": {"message": "no"}}'
        if verb == "run" and last["role"] != "tool":
            return 200, {}, called(rest)
        return 200, {}, said("done" if verb == "run" else rest or "yes")


def _header(head: bytes, name: bytes) -> str:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(name + b":"):
            return line.partition(b":")[2].strip().decode()
    return ""


def _text(content: Any) -> str:
    return (
        content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    )
