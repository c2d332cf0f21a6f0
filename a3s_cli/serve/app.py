"""The routes of the HTTP API.

Each is a few lines that read a request, ask `runs`, and answer with JSON or a
stream. Failures are raised and become an error response with one sentence in
one place.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..errors import A3SError, Cancelled, ConfigError, SessionBusy, UsageError
from ..events import Event
from ..jsontext import dumps
from ..sessions.listing import NEWEST
from ..stream.reader import event_of
from . import ai_sdk, native, openai
from .approvals import checked_reply
from .disk_threads import beside
from .follow import (
    EventSource,
    Render,
    attended,
    news,
    news_frames,
    run_lines,
    session_lines,
)
from .guard import json_body, refusal
from .openapi import document
from .prompt_request import PromptRequest, blamed
from .refused import Refused, not_found
from .runs import LiveRun, Runs
from .session_lines import SessionLines, ends, place

PAGE = Path(__file__).parent / "page"
#: HTTP statuses of failures before a run starts; any other is a 500.
STATUSES = ((SessionBusy, 409), (UsageError, 400))

Catalogue = Callable[[], list[dict[str, Any]]]


class Routes:
    """The request handlers."""

    def __init__(self, runs: Runs, catalogue: Catalogue) -> None:
        self._runs = runs
        self._catalogue = catalogue

    def table(self) -> list[Route | Mount]:
        """Return every route."""
        post, session = ["POST"], "/api/sessions/{session}"
        return [
            Route("/", self.page),
            Mount("/page", StaticFiles(directory=PAGE)),
            Route("/api/chat", self.chat, methods=post),
            Route("/api/sessions", self.sessions),
            Route(session, self.remove, methods=["DELETE"]),
            Route(f"{session}/events", self.events),
            Route(f"{session}/cancel", self.cancel, methods=post),
            Route(f"{session}/steer", self.steer, methods=post),
            Route(f"{session}/permissions/{{tool_id:path}}", self.permission, methods=post),
            Route("/api/news", self.news),
            Route("/api/models", self.models),
            Route("/api/schema", self.schema),
            Route("/openapi.json", self.openapi),
            Route("/api/ai-sdk", self.ai_sdk, methods=post),
            Route("/api/ai-sdk/{session}/stream", self.ai_sdk_again),
            Route("/v1/chat/completions", self.completions, methods=post),
            Route("/v1/models", self.openai_models),
            Route("/v1/models/{model:path}", self.openai_model),
        ]

    async def page(self, _: Request) -> Response:
        """Return the page, revalidated each time so that an update is seen."""
        return FileResponse(PAGE / "index.html", headers={"cache-control": "no-cache"})

    # -- the native API ----------------------------------------------------------------

    async def chat(self, request: Request) -> Response:
        """Start a run and stream it from its first event.

        A browser resends a request on its own if a reused connection breaks; the
        idempotency key then leads to the run that already exists.
        """
        asked = native.asked(await json_body(request))
        run = await self._begin(asked, asks=True, key=request.headers.get("idempotency-key", ""))
        if request.query_params.get("follow") == "0":
            return _json({"sessionId": run.session, "runId": run.id}, 202)
        stream = EventSource(run_lines(self._runs, run))
        # Where to resume the stream, even if it breaks before its first event.
        stream.headers["content-location"] = f"/api/sessions/{run.session}/events"
        return stream

    async def sessions(self, request: Request) -> Response:
        """List the sessions of this workspace, the most recently used first.

        With `q`, only those whose title, first prompt or id contains all of its words.
        """
        return _json(await self._runs.sessions(NEWEST, request.query_params.get("q", "")))

    async def remove(self, request: Request) -> Response:
        """Remove a session, unless a run of it is active."""
        session = request.path_params["session"]
        await self._runs.require(session)
        await self._runs.remove(session)
        return _nothing()

    async def events(self, request: Request) -> Response:
        """Stream what a client missed of a session, then follow it; 204 if there is nothing."""
        session = request.path_params["session"]
        await self._runs.require(session)
        known = await beside(ends, self._runs.path(session))
        run = await self._runs.opened(session)
        if run is not None:
            known[run.id] = run.log.next
        after = place(request.headers.get("last-event-id", ""), known)
        newest = next(reversed(known), "")
        if (run is None or run.log.over) and (not known or after == (newest, known[newest])):
            return _nothing()
        follow = request.query_params.get("follow") != "0"
        return EventSource(session_lines(self._runs, session, after, follow=follow))

    async def news(self, _: Request) -> Response:
        """Stream what every run adds from now on: one connection for all tabs of a browser."""
        return EventSource(news(self._runs), news_frames)

    async def cancel(self, request: Request) -> Response:
        """Cancel the active run of a session, if there is one."""
        session = request.path_params["session"]
        await self._runs.require(session)
        run = self._runs.live(session)
        cancelled = run is not None and not run.ending
        if run is not None and cancelled:
            run.cancel(Cancelled("the run was cancelled"))
        return _json({"cancelled": cancelled})

    async def steer(self, request: Request) -> Response:
        """Send a message to the model of the active run; report whether there is one."""
        session = request.path_params["session"]
        text = native.steering_text(await json_body(request))
        await self._runs.require(session)
        run = self._runs.live(session)
        return _json({"steered": run is not None and run.steer(text)})

    async def permission(self, request: Request) -> Response:
        """Answer a `permission_request`."""
        session, tool_id = request.path_params["session"], request.path_params["tool_id"]
        reply = checked_reply(await json_body(request))
        await self._runs.require(session)
        run = self._runs.live(session)
        if run is None or not run.approver.answer(tool_id, reply):
            raise not_found(f"no permission_request for the call {tool_id[:100]!r} is open")
        return _json({"toolId": tool_id, "answer": reply.answer})

    async def models(self, _: Request) -> Response:
        """List the models, as `a3s models --json` does."""
        return _json(await beside(self._catalogue))

    async def schema(self, _: Request) -> Response:
        """Return the JSON Schema of an event, as `a3s schema` does."""
        from ..stream.schema import event_schema

        return _json(orjson.loads(event_schema()))

    async def openapi(self, _: Request) -> Response:
        """Return the OpenAPI description of this API."""
        return _json(document())

    # -- other protocols ---------------------------------------------------------------

    async def ai_sdk(self, request: Request) -> Response:
        """Start a run for the AI SDK's `useChat`."""
        asked = ai_sdk.asked(await json_body(request))
        return self._for_ai_sdk(await self._begin(asked, asks=asked.asks))

    async def ai_sdk_again(self, request: Request) -> Response:
        """Stream the active run from its beginning; 204 if there is none."""
        run = await self._runs.opened(request.path_params["session"])
        if run is None or run.log.over:
            return _nothing()
        return self._for_ai_sdk(run)

    def _for_ai_sdk(self, run: LiveRun) -> Response:
        render = _through(ai_sdk.UIMessageStream().feed)
        return EventSource(run_lines(self._runs, run), render, ai_sdk.HEADERS)

    async def completions(self, request: Request) -> Response:
        """Start a run for an OpenAI client, which cannot answer permission requests.

        Disconnecting is such a client's only way to stop an answer, and it cannot
        resume: it cancels the run, unless the request named a session.
        """
        body = await json_body(request)
        try:
            asked, mapper = openai.asked(body), openai.CompletionStream(body)
            run = await self._begin(asked, asks=False)
        except A3SError as error:
            return _json(openai.refusal(error), openai.status(error.code))
        lines = run_lines(self._runs, run)
        left = (
            None if asked.session_id else partial(run.cancel, Cancelled("the client disconnected"))
        )
        if body.get("stream") is True:
            return EventSource(lines, _through(mapper.feed), openai.HEADERS, left)
        events: list[Event] = []
        if not await attended(_collect(lines, events), request.receive):
            if left:
                left()
            return _nothing()  # The client is gone.
        status, answer = openai.completion(events, body)
        return _json(answer, status, {"x-should-retry": "false"})

    async def openai_models(self, _: Request) -> Response:
        """List the models that are ready, in OpenAI's format."""
        rows = await beside(self._catalogue)
        return _json(openai.models([row["model"] for row in rows if row["ready"]]))

    async def openai_model(self, request: Request) -> Response:
        """Return one model, in OpenAI's format."""
        name = request.path_params["model"]
        rows = await beside(self._catalogue)
        found = openai.one_model(name, [row["model"] for row in rows if row["ready"]])
        return _json(openai.no_model(name), 404) if found is None else _json(found)

    async def _begin(self, asked: PromptRequest, *, asks: bool, key: str = "") -> LiveRun:
        try:
            return await self._runs.begin(asked, asks=asks, key=key)
        except ConfigError as error:
            if asked.model is None:
                raise
            # The request names a model that the configuration does not know.
            raise blamed("model", error) from None


def app(runs: Runs, catalogue: Catalogue) -> Starlette:
    """Return the application, without its guard."""
    handlers: dict[Any, Any] = {
        A3SError: _failed,
        HTTPException: _not_routed,
        Refused: _refused,
        Exception: _broken,
    }
    return Starlette(routes=Routes(runs, catalogue).table(), exception_handlers=handlers)


def _events(found: SessionLines) -> list[Event]:
    events = (event_of(orjson.loads(line)) for line in found.lines)
    return [event for event in events if event is not None]


async def _collect(lines: AsyncIterable[SessionLines | None], events: list[Event]) -> None:
    async for found in lines:
        if found is not None:
            events += _events(found)


def _through(feed: Callable[[Event], bytes]) -> Render:
    return lambda found: b"".join([feed(event) for event in _events(found)])


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    fresh = {"cache-control": "no-store", **(headers or {})}
    return Response(dumps(value), status, fresh, "application/json")


def _nothing() -> Response:
    return Response(status_code=204, headers={"cache-control": "no-store"})


async def _failed(_: Request, error: A3SError) -> Response:
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    return refusal(status, error.code, str(error), error.hint)


async def _not_routed(request: Request, error: HTTPException) -> Response:
    code = {404: "not_found", 405: "method"}.get(error.status_code, "usage")
    sentence = f"{request.method} {request.url.path[:200]}: {error.detail}"
    response = refusal(error.status_code, code, sentence)
    response.headers.update(error.headers or {})
    return response


async def _refused(_: Request, error: Refused) -> Response:
    return refusal(error.status, error.code, str(error))


async def _broken(_: Request, error: Exception) -> Response:
    return refusal(500, "internal", f"a3s has a bug: {type(error).__name__}")
