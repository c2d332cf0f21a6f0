"""A tool call made by the library's user, under the same rules as the model's calls."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import A3SError, Cancelled
from ..events import End, Event
from ..messages import ToolCall, ToolResult
from ..permissions.approval import Approver
from ..permissions.approvals import Approvals
from ..registry import MCP
from ..run.assembly import assemble, chosen, surroundings
from ..run.calls import Calls
from ..run.kept import Kept
from ..run.plan import Plan, start_event
from ..run.terminal_event import error_event
from ..run.voice import Voice
from ..stream.emitter import Emitter
from ..values import Value
from .event_stream import Running

if TYPE_CHECKING:
    from ..tool_protocol import Sandbox, Tool


class ToolOutcome(Value):
    """The outcome of a direct tool call (`Session.tool`).

    output: the tool's output; for a call that was denied or rejected, the reason.
    failed: whether the call failed, was denied or was rejected.
    events: `tool_start` to `tool_end`, or the one event that says why the call did not run.
    """

    output: str
    failed: bool
    events: tuple[Event, ...]


class DirectCall(Running):
    """One call of one tool, made by the user and not by a model."""

    def __init__(
        self,
        plan: Plan,
        emitter: Emitter,
        kept: Kept,
        approver: Approver | None,
        call: tuple[str, Mapping[str, Any]],
        approvals: Approvals | None = None,
    ) -> None:
        name, arguments = call
        self._plan = plan
        self._emitter = emitter
        self._kept = kept
        self._conversation = conversation = kept.conversation
        self._approver = approver
        self._approvals = approvals
        self._call = ToolCall(
            conversation.call_ids.new("direct"), name, json.dumps(dict(arguments))
        )
        conversation.call_ids.take([self._call.id])
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[list[ToolResult]] | None = None
        self._why: A3SError | None = None
        self._result: ToolResult | None = None

    async def execute(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begin()
        self._task = asyncio.create_task(self._execute())
        if self._why is not None:
            self._task.cancel()
        failure: A3SError | None = None
        try:
            self._result = (await self._task)[0]
        except asyncio.CancelledError:
            failure = self._why or Cancelled("the call was cancelled")
            if self._why is None:
                raise
            raise self._why from None
        except A3SError as error:
            failure = error
            raise
        finally:
            self._end(failure)

    def _begin(self) -> None:
        """Begin a run of the session's file: `audit` and `sessions show` see a call, too."""
        if self._kept.id is None:
            return
        self._kept.begin(self._emitter)
        plan, session = self._plan, self._kept.id
        start = start_event("", plan.workspace, plan, session_id=session)
        self._emitter.emit(start.replace(prompt=None))

    def _end(self, failure: A3SError | None) -> None:
        if self._kept.id is None:
            return
        duration = self._emitter.elapsed_ms()
        end: Event = End(text="", total_tokens=0, turns=0, tool_calls=0, duration_ms=duration)
        if failure is not None:
            end = error_event(failure, duration_ms=duration)
        self._emitter.emit(end)
        self._kept.end_run(end)

    async def _execute(self) -> list[ToolResult]:
        sandbox = await self._plan.confinement.sandbox()
        try:
            return await self._called(sandbox)
        finally:
            if sandbox:
                sandbox.close()

    async def _called(self, sandbox: Sandbox | None) -> list[ToolResult]:
        plan, emitter, approver = self._plan, self._emitter, self._approver
        tools = chosen(plan)
        if plan.mcp and self._call.name.startswith(MCP):
            return await self._by_server(tools, sandbox)
        tool = tools.get(self._call.name)
        if tool is None or not tool.asks_model:
            return await self._made(tools, sandbox)
        assembly = assemble(
            plan, emitter, self._conversation, voice=Voice(approver), sandbox=sandbox
        )
        try:
            return await assembly.calls.run([self._call], turn=0)
        finally:
            await assembly.provider.close()

    async def _made(self, tools: dict[str, Tool], sandbox: Sandbox | None) -> list[ToolResult]:
        around = surroundings(self._plan, self._emitter, self._conversation, sandbox)
        calls = Calls(
            around, tools, on_ask="deny", approver=self._approver, approvals=self._approvals
        )
        return await calls.run([self._call], turn=0)

    async def _by_server(self, tools: dict[str, Tool], sandbox: Sandbox | None) -> list[ToolResult]:
        """Make the call with the MCP servers of the session, which end with it."""
        from ..run.mcp import servers_of

        servers = servers_of(self._plan, self._emitter)
        try:
            servers.begin()
            await servers.ready()
            return await self._made({**tools, **servers.tools}, sandbox)
        finally:
            await servers.close()

    def cancel(self, why: A3SError) -> None:
        self._why = self._why or why
        if self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # The call is over already.
                self._loop.call_soon_threadsafe(self._task.cancel)

    def outcome(self, events: tuple[Event, ...]) -> ToolOutcome:
        """Return the call's outcome. Raises Cancelled if the call was cancelled."""
        if self._result is None:
            raise self._why or Cancelled("the call was cancelled")
        return ToolOutcome(self._result.output, self._result.failed, events)
