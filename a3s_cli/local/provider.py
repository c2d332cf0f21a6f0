"""The embedded model as a provider: `a3s run -m local`, with no key and no account.

Underneath is an ordinary endpoint of the chat-completions wire, which happens to
be a child of this process. What is added here is what a small model lacks: the
prompt of `prompt`, the calls of `tags`, and three restraints. A file that is
there is read before it is changed: the first `write` or `edit` of one that the
model has not seen becomes a `read` of it. A call that was just made is not made
again, and after a dozen calls the model has to answer: both turn into one more
request for the same conversation in which only words are allowed.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Protocol

from ..errors import ConfigError, NetworkError, TruncatedStream
from ..events import Notice
from ..messages import Message, ToolCall, ToolResult, ToolSpec, Usage
from ..model import (
    CallChunk,
    Chunk,
    Decoder,
    Endpoint,
    HttpRequest,
    Request,
    StopChunk,
    UsageChunk,
    Way,
    Wire,
)
from ..prompt import system_prompt
from ..providers.http import HttpProvider
from ..providers.openai_chat import OpenAIChat
from ..stream.emitter import Emitter
from ..transport.patience import Patience
from ..transport.post import Transport
from ..values import State, replace
from . import catalogue, prompt, server, tags, weights
from .progress import DownloadProgress
from .server import Server
from .shapes import bounded

MOST_CALLS = 12
MOST_TOKENS = 2048
WAYS = (Way("strict"), Way("json"), Way("prompt"))
#: Seconds between two reports of a download.
INTERVAL = 4.0


class LocalWire(State):
    """The chat-completions wire with llama.cpp's own fields: sampling by a grammar."""

    wire: Wire
    tools: Sequence[ToolSpec]
    name: str = "openai-chat"

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST."""
        post = self.wire.encode(request, endpoint)
        body = json.loads(post.body) | {
            "cache_prompt": True,
            "grammar": tags.grammar(self.tools),
        }
        headers = {**post.headers, **server.ONE_CONNECTION_EACH}
        return replace(post, headers=headers, body=json.dumps(body).encode())

    def decoder(self, endpoint: Endpoint) -> Decoder:
        """Return a new decoder for one response."""
        return LocalDecoder(self.wire.decoder(endpoint), self.tools)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Calls and words are all that this can be asked for."""
        return ()


class ShapedWire(State):
    """The same for an answer that is a JSON value: the server samples by its schema."""

    wire: Wire
    name: str = "openai-chat"

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST."""
        shape = request.shape
        post = self.wire.encode(replace(request, shape=None), endpoint)
        body = json.loads(post.body) | {"cache_prompt": True}
        if shape and shape.mode == "strict":
            body["response_format"] = {"type": "json_object", "schema": bounded(shape.schema)}
        elif shape and shape.mode == "json":
            body["response_format"] = {"type": "json_object"}
        return replace(post, body=json.dumps(body).encode())

    def decoder(self, endpoint: Endpoint) -> Decoder:
        """Return a new decoder for one response."""
        return self.wire.decoder(endpoint)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask the server for a value of a schema."""
        return WAYS


class LocalDecoder:
    """Makes a call of the tags at the end of an answer."""

    def __init__(self, decoder: Decoder, tools: Sequence[ToolSpec]) -> None:
        self._decoder = decoder
        self._tools = tools
        self._scanner = tags.Scanner()

    @property
    def complete(self) -> bool:
        """True once the protocol's own end was seen."""
        return self._decoder.complete

    def feed(self, events: Iterable[tuple[str, str]]) -> list[Chunk]:
        """Decode the events of one network read."""
        chunks: list[Chunk] = []
        for chunk in self._decoder.feed(events):
            if isinstance(chunk, str):
                if text := self._scanner.feed(chunk):
                    chunks.append(text)
            elif isinstance(chunk, StopChunk):
                chunks += self._ended(chunk)
            else:
                chunks.append(chunk)
        return chunks

    def _ended(self, stop: StopChunk) -> Iterable[Chunk]:
        if text := self._scanner.close():
            yield text
        if self._scanner.call and stop.reason == "end_turn":
            name, arguments = tags.read(self._scanner.call, self._tools)
            yield CallChunk(0, "", name, json.dumps(arguments, ensure_ascii=False))
            stop = StopChunk("tool_use", stop.raw)
        yield stop


class LocalPlan(Protocol):
    """What is taken from the plan of a run."""

    @property
    def workspace(self) -> Path: ...
    @property
    def environment(self) -> Mapping[str, str]: ...
    @property
    def child_environment(self) -> Mapping[str, str]: ...
    @property
    def pull(self) -> bool: ...
    @property
    def offline(self) -> bool: ...


class LocalProvider:
    """The embedded model; its server starts with the first request."""

    def __init__(
        self,
        endpoint: Endpoint,
        transport: Transport,
        patience: Patience,
        plan: LocalPlan,
        emitter: Emitter,
    ) -> None:
        self._endpoint = endpoint
        self._transport = transport
        # Reading a long prompt takes minutes on a slow machine, and that is no failure.
        self._patience = replace(patience, first_byte=None)
        self._plan = plan
        self._emitter = emitter
        self._server: Server | None = None
        #: The arguments of the changes that became a look at the file.
        self._diverted: set[str] = set()

    @property
    def ways(self) -> Sequence[Way]:
        """The server samples by a schema of any root."""
        return WAYS

    async def stream(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        """Send the request once; see `Provider.stream`."""
        tools = tuple(map(prompt.shortened, request.tools))
        running = self._server or await self._start(tools)
        general = system_prompt(self._plan.workspace)
        adapted = replace(
            prompt.adapt(request, general, self._diverted),
            max_tokens=request.max_tokens or MOST_TOKENS,
            temperature=request.temperature or 0.0,
        )
        if request.shape:
            answers = self._provider(ShapedWire(OpenAIChat())).stream(adapted)
        else:
            allowed = tools if len(calls_since(request.messages)) < MOST_CALLS else ()
            answers = self._restrained(adapted, request.messages, allowed)
        try:
            async with aclosing(answers) as answer:
                async for chunks in answer:
                    yield chunks
        except (NetworkError, TruncatedStream):
            if running.gone.done():
                raise running.death() from None
            raise

    async def close(self) -> None:
        """Stop the server and close the connections."""
        if self._server:
            await self._server.stop()
        await self._transport.close()

    async def _restrained(
        self, request: Request, history: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> AsyncGenerator[list[Chunk], None]:
        """Yield the answer; if it ends in a call that was just made, an answer in words."""
        held: list[Chunk] = []
        async with aclosing(self._ask(request, tools)) as answer:
            async for chunks in answer:
                if held or any(isinstance(chunk, CallChunk) for chunk in chunks):
                    held += chunks
                else:
                    yield chunks
        if not any(
            repeats(chunk, history, tools) for chunk in held if isinstance(chunk, CallChunk)
        ):
            if held:
                yield [self._looking_first(chunk, history, tools) for chunk in held]
            return
        spent = sum((c.usage for c in held if isinstance(c, UsageChunk)), Usage())
        async with aclosing(self._ask(request, ())) as answer:
            async for chunks in answer:
                yield [
                    UsageChunk(spent + c.usage) if isinstance(c, UsageChunk) else c for c in chunks
                ]

    def _looking_first(
        self, chunk: Chunk, history: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> Chunk:
        """Turn the change of a file that the model has not seen into a look at it."""
        writes = isinstance(chunk, CallChunk) and _named(tools, chunk.name, "writes")
        if not isinstance(chunk, CallChunk) or not writes:
            return chunk
        path = str(parsed(chunk.arguments).get("file_path", ""))
        seen = any(path in call.arguments for call, _ in calls_since(history))
        readable = any(tool.name == "read" for tool in tools)
        if seen or not readable or not (self._plan.workspace / path).is_file():
            return chunk
        look = json.dumps({"file_path": path})
        self._diverted.add(look)
        return replace(chunk, name="read", arguments=look)

    def _ask(
        self, request: Request, tools: Sequence[ToolSpec]
    ) -> AsyncGenerator[list[Chunk], None]:
        """Send one request in which these tools may be called."""
        return self._provider(LocalWire(OpenAIChat(), tools)).stream(request)

    def _provider(self, wire: Wire) -> HttpProvider:
        return HttpProvider(wire, self._endpoint, self._transport, self._patience)

    async def _start(self, tools: Sequence[ToolSpec]) -> Server:
        model = await self._model()
        running = await self._launch(model)
        system, messages = prompt.beginning(tools)
        opening = Request("", system, [*messages, prompt.said("user", ".")], max_tokens=1)
        body = OpenAIChat().encode(opening, self._endpoint).body
        state = server.kept_state(running, body, model)
        try:
            ready = await server.restore(running, self._transport, state)
        except NetworkError:  # llama.cpp aborts where the state is damaged
            await running.stop()
            running, ready = await self._launch(model), False
        if not ready:
            self._emitter.emit(
                Notice(
                    code="model_preparing",
                    text=f"{self._endpoint.model} reads its instructions, which takes a while "
                    "the first time",
                )
            )
            await server.prepare(running, self._transport, state, body)
        return running

    async def _launch(self, model: Path) -> Server:
        self._server = await server.start(model, self._plan.child_environment)
        self._endpoint = self._server.endpoint(self._endpoint.model)
        return self._server

    async def _model(self) -> Path:
        """Return the weights; download them only where that is visible or was requested."""
        plan, name = self._plan, self._endpoint.model
        if path := weights.installed(name, plan.environment):
            return path
        size = f"{catalogue.find(name).size / 1e9:.2f} GB"
        if not plan.offline and not plan.pull and not os.isatty(2):
            raise ConfigError(
                f"the model {name} ({size}) is not here",
                hint=f"a3s models pull {name}, or a3s run --pull",
            )
        progress = DownloadProgress()
        reports = asyncio.create_task(self._report(name, progress))
        try:
            return await weights.pull(
                name, environment=plan.environment, progress=progress, offline=plan.offline
            )
        finally:
            reports.cancel()

    async def _report(self, name: str, progress: DownloadProgress) -> None:
        """Report progress: once the source is known, then every few seconds."""
        while True:
            await asyncio.sleep(INTERVAL if progress.total else 0)
            self._emitter.emit(
                Notice(
                    code="model_download",
                    text=f"fetching {name} from {progress.source}: {progress}",
                    received_bytes=progress.received,
                    total_bytes=progress.total,
                    source=progress.source,
                )
            )


def calls_since(messages: Sequence[Message]) -> list[tuple[ToolCall, bool]]:
    """Yield the calls since the user last spoke, the newest first, and whether each failed."""
    found: list[tuple[ToolCall, bool]] = []
    failed: set[str] = set()
    for message in reversed(messages):
        if message.role == "user":
            break
        failed |= {p.call_id for p in message.parts if isinstance(p, ToolResult) and p.failed}
        found += [(call, call.id in failed) for call in reversed(message.calls)]
    return found


def repeats(chunk: CallChunk, history: Sequence[Message], tools: Sequence[ToolSpec]) -> bool:
    """Return whether a call was made before, and nothing was changed since."""
    for call, failed in calls_since(history):
        if (call.name, parsed(call.arguments)) == (chunk.name, parsed(chunk.arguments)):
            return True
        if not failed and not _named(tools, call.name, "harmless"):
            return False
    return False


def _named(tools: Sequence[ToolSpec], name: str, attribute: str) -> bool:
    return any(tool.name == name and getattr(tool, attribute) for tool in tools)


def parsed(arguments: str) -> Any:
    """Return the value of a call's arguments; text that is not JSON stands for itself."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
