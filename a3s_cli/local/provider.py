"""The embedded model as a provider: `a3s run -m local`, with no key and no account.

Underneath is an ordinary endpoint of the chat-completions wire, which happens to
be a child of this process. What is added here is what a small model lacks: the
prompt of `prompt`, the calls of `tags`, and the restraints of `conduct`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

from ..errors import ConfigError, NetworkError, TruncatedStream
from ..events import Notice
from ..messages import ToolSpec
from ..model import (
    Chunk,
    Endpoint,
    Request,
    Way,
    Wire,
)
from ..prompt import system_prompt
from ..providers.http import HttpProvider
from ..providers.openai_chat import OpenAIChat
from ..stream.emitter import Emitter
from ..transport.patience import Patience
from ..transport.post import Transport
from ..values import replace
from . import own, prompt, server, states, weights
from .conduct import Conduct
from .progress import DownloadProgress
from .server import Server, Wish
from .wires import WAYS, LocalWire, ServerWire, ShapedWire

MOST_TOKENS = 2048
#: Seconds between two reports of a download.
INTERVAL = 4.0


class LocalPlan(Protocol):
    """What is taken from the plan of a run."""

    @property
    def workspace(self) -> Path: ...
    @property
    def environment(self) -> Mapping[str, str]: ...
    @property
    def child_environment(self) -> Mapping[str, str]: ...
    @property
    def tools(self) -> Sequence[str]: ...
    @property
    def pull(self) -> bool: ...
    @property
    def offline(self) -> bool: ...
    @property
    def keep_alive(self) -> float | None: ...
    @property
    def keeps_model(self) -> bool: ...


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
        self._conduct = Conduct(self._ask, plan.workspace)
        #: What a model is that is not one of the catalogue.
        self._own: own.Header | None = None

    @property
    def ways(self) -> Sequence[Way]:
        """The server samples by a schema of any root."""
        return WAYS

    async def stream(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        """Send the request once; see `Provider.stream`."""
        tools = tuple(map(prompt.shortened, request.tools))
        running = self._server or await self._start(tools)
        if self._speaks_for_itself:
            answers = self._provider(ServerWire(OpenAIChat())).stream(request)
        else:
            answers = self._adapted(request, tools)
        try:
            async with aclosing(answers) as answer:
                async for chunks in answer:
                    yield chunks
        except (NetworkError, TruncatedStream):
            if running.gone.done():
                raise running.death() from None
            raise

    def _adapted(
        self, request: Request, tools: Sequence[ToolSpec]
    ) -> AsyncGenerator[list[Chunk], None]:
        """Send a request in the form that a small model can follow."""
        general = system_prompt(self._plan.workspace)
        adapted = replace(
            prompt.adapt(request, general, self._conduct.diverted),
            max_tokens=request.max_tokens or MOST_TOKENS,
            temperature=request.temperature or 0.0,
        )
        if request.shape:
            return self._provider(ShapedWire(OpenAIChat())).stream(adapted)
        return self._conduct.answer(adapted, request.messages, tools)

    async def close(self) -> None:
        """Stop the server and close the connections."""
        if self._server:
            await self._server.stop()
        await self._transport.close()

    def _ask(
        self, request: Request, tools: Sequence[ToolSpec], forced: bool
    ) -> AsyncGenerator[list[Chunk], None]:
        """Send one request in which these tools may be called, or one must be."""
        ended = bool(self._plan.tools) and not tools
        return self._provider(LocalWire(OpenAIChat(), tools, forced, ended)).stream(request)

    def _provider(self, wire: Wire) -> HttpProvider:
        return HttpProvider(wire, self._endpoint, self._transport, self._patience)

    async def _start(self, tools: Sequence[ToolSpec]) -> Server:
        model = await self._model()
        self._own = own.header(model) if own.is_own(self._endpoint.model) else None
        system, messages = prompt.beginning(tools)
        opening = Request("", system, [*messages, prompt.said("user", ".")], max_tokens=1)
        body = OpenAIChat().encode(opening, self._endpoint).body
        name = states.name_of(states.identity(model, server.CONTEXT), body)
        running = await self._launch(model, name)
        if running.prepared or self._speaks_for_itself:
            return running
        state = running.states and running.states / name
        try:
            ready = await states.restore(self._endpoint, self._transport, state)
        except NetworkError:  # llama.cpp aborts where the state is damaged
            await running.stop()
            running, ready = await self._launch(model, name), False
        if not ready:
            preparing = states.prepare(
                self._endpoint, self._transport, state, body, self._preparing()
            )
            await preparing
        return running

    @property
    def _speaks_for_itself(self) -> bool:
        """Whether the model's own chat template is used, with its own form of calls."""
        return self._own is not None and self._own.knows_tools

    def _preparing(self) -> states.Progress:
        """Return what reports how much of the instructions has been read."""
        estimate, told = states.Estimate(), time.monotonic()
        name = self._endpoint.model
        self._notice(
            "model_preparing", f"{name} is reading its instructions, which later runs need not do"
        )

        def progress(read: int, total: int) -> None:
            nonlocal told
            if read and time.monotonic() - told > INTERVAL:
                told = time.monotonic()
                words = estimate.words(read, total)
                self._notice("model_preparing", f"{name} is reading its instructions: {words}")

        return progress

    def _notice(self, code: str, text: str) -> None:
        self._emitter.emit(Notice(code=code, text=text))

    async def _launch(self, model: Path, beginning: str) -> Server:
        plan = self._plan
        wish = Wish(model, plan.child_environment, beginning, plan.keep_alive, plan.keeps_model)
        self._server = await server.acquire(wish, self._notice)
        self._endpoint = self._server.endpoint(self._endpoint.model)
        return self._server

    async def _model(self) -> Path:
        """Return the weights; download them only where that is visible or was requested."""
        plan, name = self._plan, self._endpoint.model
        if path := weights.installed(name, plan.environment):
            return path
        size = weights.size_of(name)
        fetched = not own.is_own(name) or name.startswith("hf:")
        if fetched and not (plan.offline or plan.pull or os.isatty(2)):
            raise ConfigError(
                f"the model {name}{size} is not downloaded",
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
                    text=f"downloading {name} from {progress.source}: {progress}",
                    received_bytes=progress.received,
                    total_bytes=progress.total,
                    source=progress.source,
                )
            )
