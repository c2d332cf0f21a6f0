"""One run: its deadline, its cancelling, and the event that it ends with.

The work is one task, and cancelling the run is cancelling that task. Only this module
turns an exception of the work into the terminal event, exactly once, whatever happens
below. It knows nothing of signals, stdout or exiting: `commands.run` does that for the
command line, and the library needs none of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import A3SError, Cancelled, InternalError, RunTimeout, internal
from ..events import End, Event, Notice
from ..jsontext import dumps
from ..messages import Message, Text, ToolCall
from ..stream.emitter import Emitter
from .assembly import Assembly, assemble
from .conversation import Conversation
from .cost import Account
from .execution import Execution, Prepared
from .loop import Loop, Progress
from .plan import Plan
from .terminal_event import error_event
from .voice import Voice

if TYPE_CHECKING:
    from ..mcp.servers import Servers
    from ..permissions.approval import Approver
    from ..sandbox.bwrap import Bubblewrap
    from ..sandbox.late import LateSandbox

log = logging.getLogger(__name__)


class Run:
    """One planned run. `cancel` may be called from any thread and from a signal handler."""

    def __init__(
        self,
        plan: Plan,
        emitter: Emitter,
        conversation: Conversation,
        voice: Voice | None = None,
        before_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._plan = plan
        self._emitter = emitter
        self._conversation = conversation
        self._voice = voice or Voice()
        self._before_end = before_end
        self._why: A3SError | None = None
        self._task: asyncio.Task[None] | None = None
        self._asyncio_loop: asyncio.AbstractEventLoop | None = None
        self._progress = Progress()
        self._assembly: Assembly | None = None
        self._servers: Servers | None = None
        #: The terminal event, once it has been emitted.
        self.terminal: Event | None = None
        #: What the run used, known once it has ended, however it did.
        self.account = Account()

    def cancel(self, why: A3SError) -> None:
        """Cancel the run; the first reason given counts."""
        if self._why is None:
            self._why = why
        if self._asyncio_loop is not None and self._task is not None:
            try:
                self._asyncio_loop.call_soon_threadsafe(self._task.cancel)
            except RuntimeError:
                log.debug("the run ended before it could be cancelled")

    async def execute(self) -> None:
        """Do the work; emit the terminal event last, and end what was started for the run."""
        try:
            await self._execute()
        finally:
            if self._servers is not None:
                await self._servers.close()

    async def _execute(self) -> None:
        failure: A3SError | None = None
        self._asyncio_loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._work())
        if self._why is not None:
            self._task.cancel()
        deadline = self._set_deadline()
        try:
            await self._task
        except asyncio.CancelledError:
            failure = self._why or Cancelled("the run was cancelled")
        except A3SError as error:
            failure = error
        except Exception as error:  # A bug of ours ends in an event, too.
            log.debug("internal error", exc_info=error)
            failure = internal(error)
        else:
            # Cancelled after the work was done, but before its end was emitted.
            failure = self._why
        finally:
            self._task.cancel()
            if deadline:
                deadline.cancel()
            self._asyncio_loop = None
        self._conversation.settle(None if failure is None else str(failure))
        self._before_end()
        if self._servers is not None:
            self._servers.quiet()
        # A full disk does not overrule a signal.
        cancelled = failure if isinstance(failure, Cancelled) else None
        self.terminal = self._emitter.end(
            self._ended(failure), lambda unrecorded: self._ended(cancelled or unrecorded)
        )

    def _set_deadline(self) -> asyncio.TimerHandle | None:
        seconds = self._plan.config.get("timeout")
        if seconds is None:
            return None
        error = RunTimeout(f"the run took longer than {seconds:g} s", hint="--timeout sets it")
        left = seconds - self._emitter.elapsed_ms() / 1000
        return asyncio.get_running_loop().call_later(max(left, 0), self.cancel, error)

    async def _work(self) -> None:
        plan, conversation = self._plan, self._conversation
        if plan.approver:
            self._voice.approver = _program(plan)
        if plan.mcp:
            self._begin_servers()
            # They start while the rest is being loaded.
            await asyncio.sleep(0)
        sandbox = await self._sandbox()
        self._assembly = assembly = assemble(
            plan, self._emitter, conversation, voice=self._voice, sandbox=sandbox
        )
        try:
            request, offer = assembly.request, None
            if self._servers is not None:
                from .mcp import Offer

                offer = Offer(self._servers, assembly, self._emitter)
                request = await offer.first()
            # Without tools there is nothing to do before the object.
            if assembly.calls.tools or plan.schema is None:
                await Loop(
                    assembly.asker,
                    assembly.calls,
                    self._emitter,
                    request,
                    conversation,
                    assembly.compactor,
                    max_turns=plan.config.get("max_turns"),
                    object_follows=plan.schema is not None,
                    progress=self._progress,
                    steering=self._voice.steering,
                    offer=offer,
                ).run()
            if plan.schema is not None:
                await assembly.compactor.fit()
                await self._make_object(assembly)
        finally:
            if sandbox:
                sandbox.close()
            await assembly.provider.close()

    def _begin_servers(self) -> None:
        from .mcp import servers_of

        self._servers = servers_of(self._plan, self._emitter)
        self._servers.begin()

    async def _sandbox(self) -> Bubblewrap | LateSandbox | None:
        confinement = self._plan.confinement
        confinement.guarding.copies = self._conversation.copies
        known = confinement.name is not None
        sandbox = await confinement.sandbox()
        if sandbox is None and confinement.missing:
            text = (
                f"commands are not confined, because no sandbox is available: {confinement.missing}"
            )
            self._emitter.emit(Notice(code="sandbox_missing", text=text, flag="--sandbox"))
        elif sandbox and not known:
            text = "commands are confined by bubblewrap, which was found after `start`"
            self._emitter.emit(Notice(code="sandbox_found", text=text, flag="--sandbox"))
        if withheld := confinement.withheld():
            text = (
                f"there is a home directory in the workspace: {len(withheld)} places with"
                " credentials in it are hidden from every tool"
            )
            self._emitter.emit(Notice(code="credentials_hidden", text=text))
        return sandbox

    async def _make_object(self, assembly: Assembly) -> None:
        """Have the model write the run's answer as an object of the plan's schema."""
        from ..objects.final import AS_JSON, FinalObject
        from ..objects.schema import Schema

        conversation, schema = self._conversation, self._plan.schema
        tool = FinalObject(Schema(schema), tuple(conversation.messages), self._plan.check)
        call = ToolCall(conversation.call_ids.new("object"), tool.name, "")
        conversation.call_ids.take([call.id])
        prepared = Prepared(call, tool, {"schema": schema}, "default")
        if conversation.messages[-1].role != "user":
            conversation.add(Message("user", (Text(AS_JSON),)))
        result = await Execution(assembly.around, prepared, turn=0).run()
        if not tool.value:
            if tool.failure and any(message.files for message in conversation.messages):
                from .sight import leave_out

                leave_out(tool.failure, conversation)
            raise tool.failure or InternalError(f"a3s has a bug: {result.output}")
        self._progress.object = tool.value
        conversation.add(Message("assistant", (Text(dumps(tool.value[0]).decode()),)))

    def _ended(self, failure: A3SError | None) -> Event:
        """Return the terminal event."""
        progress, assembly = self._progress, self._assembly
        calls = assembly.calls if assembly else None
        account = self.account = assembly.account if assembly else Account()
        tool_calls = calls.executed if calls else 0
        denials = tuple(calls.denials) if calls and calls.denials else None
        duration = self._emitter.elapsed_ms()
        if failure is None:
            return End(
                text=progress.text,
                total_tokens=account.total_tokens,
                usage=account.usage,
                turns=progress.turns,
                tool_calls=tool_calls,
                duration_ms=duration,
                permission_denials=denials,
                cost_usd=account.cost_usd,
                # Null is a valid object.
                **({"object": progress.object[0]} if progress.object else {}),
            )
        return error_event(
            failure,
            turns=progress.turns,
            tool_calls=tool_calls,
            total_tokens=account.total_tokens,
            duration_ms=duration,
            denials=denials,
        )


def _program(plan: Plan) -> Approver:
    """Return the program that answers questions. Raises Unavailable."""
    from ..sandbox.environment import provider_keys, without_keys
    from .approver_program import ProgramApprover

    keys = provider_keys(plan.config, plan.environment)
    return ProgramApprover(
        plan.approver,
        workspace=plan.workspace,
        environment=without_keys(plan.environment, keys),
        timeout=plan.config.get("approver_timeout"),
        redactor=plan.redactor,
    )
