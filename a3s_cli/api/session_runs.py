"""What a session runs: a prompt, or one tool that is called directly."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import A3SError, Cancelled, UsageError
from ..events import Event, Notice
from ..messages import ToolCall, ToolResult
from ..permissions.approval import Approver
from ..run.assembly import assemble, chosen, surroundings
from ..run.calls import Calls
from ..run.conversation import Conversation
from ..run.kept import Kept
from ..run.plan import Plan, start_event
from ..run.run import Run
from ..run.terminal_event import error_event
from ..stream.emitter import Emitter
from ..values import Value
from .event_stream import EventStream, Running

if TYPE_CHECKING:
    from ..tool_protocol import Sandbox


class ToolOutcome(Value):
    """What a direct call of a tool came to. One that was refused has failed, and says why."""

    output: str
    failed: bool
    #: `tool_start` … `tool_end`, or the one event that says why it did not run.
    events: tuple[Event, ...]


class Wanted(Value):
    """The object that a prompt is to be answered with: a JSON Schema, or a pydantic model's."""

    schema: Any = None
    model: Any = None

    @classmethod
    def of(cls, schema: Any) -> Wanted:
        """Take a schema as callers give it; raises UsageError for one that is none."""
        if schema is None:
            return cls()
        model = schema if hasattr(schema, "model_json_schema") else None
        source = schema if model is None else model.model_json_schema()
        from ..objects.schema import Schema
        from ..validation import SchemaError

        try:
            Schema(source)
        except SchemaError as error:
            raise UsageError(f"the schema: {error}") from None
        return cls(source, model)

    def instance(self, value: Any) -> Any:
        """Give the value as the model's own type."""
        return value if self.model is None else self.model.model_validate(value)


class After(Running):
    """A run that waits for the one before it, which is ending, to be gone."""

    def __init__(self, previous: EventStream | None, running: Running) -> None:
        self._previous = previous
        self._running = running

    async def execute(self) -> None:
        if self._previous is not None:
            await self._previous.wait()
            self._previous = None
        await self._running.execute()

    def cancel(self, why: A3SError) -> None:
        self._running.cancel(why)

    def instance(self, value: Any) -> Any:
        return self._running.instance(value)


class PromptRun(Running):
    """One prompt of a conversation, which is opened for it where it is kept on disk."""

    def __init__(
        self,
        plan: Plan,
        emitter: Emitter,
        opened: Callable[[], Kept],
        approver: Approver | None,
        wanted: Wanted,
    ) -> None:
        self._wanted = wanted
        self._emitter = emitter
        self._failure: A3SError | None = None
        self._kept = Kept()
        try:
            self._kept = opened()
        except A3SError as failure:
            # It is in use, say: a failed run like any other, which iteration never raises for.
            self._failure = failure
        self._kept.begin(emitter)
        emitter.emit(start_event(plan.prompt, plan.workspace, plan, session_id=self._kept.id))
        for notice in plan.config.notices:
            emitter.emit(Notice(code=notice.code, text=notice.text, **notice.fields))
        self._kept.tell(emitter)
        self._run = Run(
            plan,
            emitter,
            conversation=self._kept.conversation,
            approver=approver,
            before_end=lambda: self._kept.tell(emitter),
        )

    async def execute(self) -> None:
        if self._failure is not None:
            duration = self._emitter.elapsed_ms()
            self._emitter.emit(error_event(self._failure, duration_ms=duration))
            return
        try:
            await self._run.execute()
        finally:
            self._kept.end_run()

    def cancel(self, why: A3SError) -> None:
        self._run.cancel(why)

    def instance(self, value: Any) -> Any:
        return self._wanted.instance(value)


class DirectCall(Running):
    """One call of one tool, which the caller makes and no model."""

    def __init__(
        self,
        plan: Plan,
        emitter: Emitter,
        conversation: Conversation,
        approver: Approver | None,
        call: tuple[str, Mapping[str, Any]],
    ) -> None:
        name, arguments = call
        self._plan = plan
        self._emitter = emitter
        self._conversation = conversation
        self._approver = approver
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
        self._task = asyncio.create_task(self._execute())
        if self._why is not None:
            self._task.cancel()
        try:
            self._result = (await self._task)[0]
        except asyncio.CancelledError:
            if self._why is None:
                raise
            raise self._why from None

    async def _execute(self) -> list[ToolResult]:
        sandbox = await self._plan.confinement.sandbox()
        try:
            return await self._called(sandbox)
        finally:
            if sandbox:
                sandbox.close()

    async def _called(self, sandbox: Sandbox | None) -> list[ToolResult]:
        plan, emitter, approver = self._plan, self._emitter, self._approver
        if self._call.name != "generate_object":
            around = surroundings(plan, emitter, self._conversation, sandbox)
            calls = Calls(around, chosen(plan), on_ask="deny", approver=approver)
            return await calls.run([self._call], turn=0)
        # The one tool that asks a model.
        assembly = assemble(plan, emitter, self._conversation, approver=approver, sandbox=sandbox)
        try:
            return await assembly.calls.run([self._call], turn=0)
        finally:
            await assembly.provider.close()

    def cancel(self, why: A3SError) -> None:
        self._why = self._why or why
        if self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # The call was over before.
                self._loop.call_soon_threadsafe(self._task.cancel)

    def outcome(self, events: tuple[Event, ...]) -> ToolOutcome:
        """Give what it came to; raises where it was cancelled."""
        if self._result is None:
            raise self._why or Cancelled("the call was cancelled")
        return ToolOutcome(self._result.output, self._result.failed, events)
