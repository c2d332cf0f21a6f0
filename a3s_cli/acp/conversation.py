"""One session of an editor: its prompts, one at a time, each opened like any other run.

The session is kept where those of the command line are, and it is locked only while
a run goes on, so that both may go on with the other's.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..config.endpoints import endpoint
from ..errors import A3SError, AuthError, Cancelled, UsageError
from ..events import Event
from ..files.workspace import Workspace
from ..input.attachments import Given
from ..jsonrpc import INTERNAL_ERROR, INVALID_REQUEST, Peer, RpcError
from ..output.writer import Writer
from ..permissions.approvals import Approvals
from ..run.cost import Listed
from ..run.kept import Kept, keep
from ..run.opening import Opening
from ..run.plan import Plan, load_config, make_plan
from ..run.request import RunRequest
from ..values import Value, replace
from .approver import EditorApprover
from .buffers import EditorBuffers
from .modes import ASK, in_mode
from .updates import Update, Updates

#: The code of a failure that only credentials can mend.
AUTH_REQUIRED = -32000
#: `error.code` to the protocol's reason, where a run ended in a way that it has a word for.
STOPS = {
    "cancelled": "cancelled",
    "refusal": "refusal",
    "max_tokens": "max_tokens",
    **dict.fromkeys(("max_turns", "max_tool_calls", "max_cost"), "max_turn_requests"),
}
#: Bytes of a file whose text goes into a diff.
_DIFFABLE = 1024 * 1024


class Editor(Value):
    """The other end: the connection, and what the editor can do."""

    peer: Peer
    writer: Writer
    reads: bool = False
    writes: bool = False


class Conversation:
    """One session, from `session/new` or one of its kin until the process ends."""

    def __init__(self, id: str, request: RunRequest, editor: Editor) -> None:
        self.id = id
        self.workspace = request.workspace
        self.mode = ASK.id
        #: The model that was chosen in the editor; None for the configured one.
        self.model: str | None = None
        self._request = request
        self._editor = editor
        self._approvals: dict[str, Approvals] = {}
        self._unkept: Kept | None = None
        self._opening: Opening | None = None
        self._running: asyncio.Task[Event] | None = None

    @property
    def busy(self) -> bool:
        """Whether a run goes on."""
        return self._running is not None

    def plan(self, prompt: str = "") -> tuple[RunRequest, Plan]:
        """Decide on a run as the session is now; raises what is wrong with the configuration."""
        request = in_mode(self._request, self.mode)
        settings = request.settings
        if self.model is not None:
            settings = {**settings, "model": self.model}
        editor = self._editor
        buffers = None
        if editor.reads or editor.writes:
            buffers = EditorBuffers(editor.peer, self.id, reads=editor.reads, writes=editor.writes)
        request = replace(request, prompt=prompt, settings=settings, buffers=buffers)
        return request, make_plan(request, load_config(request))

    async def prompt(self, text: str, files: tuple[Given, ...] = ()) -> dict[str, Any]:
        """Do one run and return the response to its `session/prompt`; raises RpcError."""
        if self.busy:
            raise refused(
                INVALID_REQUEST, "busy", "a prompt of this session is still being answered",
                "wait for it, or cancel it",
            )  # fmt: skip
        try:
            request, plan = self.plan(text)
            opening = Opening(replace(request, attachments=files))
            opening.use(plan)
        except A3SError as error:
            raise failure(error) from None
        self._opening = opening
        updates = self.updates(opening.plan)
        opening.keep(self._kept)
        opening.emitter.add_event_sink(updates.accept, self._editor.writer.drain)
        digest = plan.policy.digest()
        opening.voice.approvals = self._approvals.setdefault(digest, Approvals(plan.policy))
        approver = None
        if plan.on_ask == "prompt":
            approver = EditorApprover(self._editor.peer, self.id, updates, plan.redactor)
        opening.begin()
        self._running = asyncio.get_running_loop().create_task(opening.execute(approver))
        try:
            return _response(await self._ended())
        finally:
            self._running = self._opening = None
            if opening.kept.id is None:
                self._unkept = opening.kept
            else:
                opening.kept.close()

    async def _ended(self) -> Event:
        """Wait for the run; a request that is cancelled cancels it, and hears of its end."""
        assert self._running
        try:
            return await asyncio.shield(self._running)
        except asyncio.CancelledError:
            self.cancel()
            return await self._running

    def cancel(self) -> None:
        """End the run that goes on, if any."""
        if self._opening is not None:
            self._opening.cancel(Cancelled("the run was cancelled"))

    async def gone(self) -> None:
        """Wait until no run goes on any more."""
        if self._running is not None:
            await asyncio.wait([self._running])

    def updates(self, plan: Plan | None = None) -> Updates:
        """Return what translates the events of one run for the editor."""
        window = None
        if plan is not None:
            try:
                where = endpoint(plan.config, plan.model, plan.environment)
                window = where.context_tokens or Listed(where).window
            except A3SError:
                window = None  # The run says what is wrong.
        return Updates(self.send, self._read_text, _later, window)

    def send(self, update: Update) -> None:
        """Tell the editor something of this session."""
        told = {"sessionId": self.id, "update": update}
        self._editor.peer.notify("session/update", told)

    def _kept(self, plan: Plan) -> Kept:
        if self._unkept is not None:
            return self._unkept
        return keep(plan.environment, plan.workspace, plan.redactor.whole, named=self.id)

    def _read_text(self, path: str) -> str | None:
        workspace = Workspace(self.workspace)
        try:
            with workspace.open_file(Path(path)) as file:
                if os.fstat(file.fileno()).st_size > _DIFFABLE:
                    return None
                return file.read().decode()
        except (OSError, ValueError):
            return None


def _later(seconds: float, act: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, act)


def _response(ended: Event) -> dict[str, Any]:
    usage = ended.usage
    counted = {}
    if usage is not None:
        counted["usage"] = {
            "totalTokens": ended.total_tokens,
            "inputTokens": usage.input_tokens,
            "outputTokens": usage.output_tokens,
            "thoughtTokens": usage.reasoning_tokens,
            "cachedReadTokens": usage.cache_read_tokens,
            "cachedWriteTokens": usage.cache_write_tokens,
        }
    if ended.type == "end":
        return {"stopReason": "end_turn", **counted}
    if ended.code in STOPS:
        return {"stopReason": STOPS[ended.code]}
    code = AUTH_REQUIRED if ended.code == "auth" else INTERNAL_ERROR
    data = {"code": ended.code, "retryable": ended.retryable, "exitCode": ended.exit_code}
    hint = {} if ended.hint is None else {"hint": ended.hint}
    raise RpcError(code, ended.error, {**data, **hint})


def failure(error: A3SError) -> RpcError:
    """Return the answer to a request that could not be done for this reason."""
    code = INTERNAL_ERROR
    if isinstance(error, AuthError):
        code = AUTH_REQUIRED
    elif isinstance(error, UsageError):
        code = INVALID_REQUEST
    return refused(code, error.code, str(error), error.hint)


def refused(code: int, name: str, why: str, hint: str | None = None) -> RpcError:
    """Return an error with our code and hint in its data."""
    more = {} if hint is None else {"hint": hint}
    return RpcError(code, why, {"code": name, **more})
