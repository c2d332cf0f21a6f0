"""One run, from its first request to `end` or `error`: where names become objects.

The work is one task; cancelling, for whatever reason, is cancelling that task.
This is the only place that turns an exception into a terminal event, and it
does so exactly once, whatever happens below. It knows nothing of signals, of
stdout or of a process's exit: `foreground` does that for the command line, and
a call of the library needs none of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .account import Account, Price
from .calls import Calls
from .config.base_urls import is_loopback
from .config.endpoints import configured_cost, endpoint
from .config.model_names import LOCAL, REPLAY
from .emitter import Emitter
from .errors import A3SError, Cancelled, RunTimeout, internal
from .events import End, Event
from .execution import CallLimits, Surroundings
from .files.workspace import Workspace
from .loop import Loop, Progress
from .messages import Message, Text
from .plan import Plan
from .prompt import SYSTEM, system_prompt
from .providers.base import Endpoint, Provider, Request
from .registry import TOOLS, WIRES, load
from .response import Asker, CallIds
from .terminal_event import error_event

log = logging.getLogger(__name__)


class Run:
    """One planned run. `cancel` may be called from any thread and from a signal handler."""

    def __init__(
        self, plan: Plan, emitter: Emitter, before_end: Callable[[], None] = lambda: None
    ) -> None:
        self._plan = plan
        self._before_end = before_end
        self._emitter = emitter
        self._why: A3SError | None = None
        self._task: asyncio.Task[None] | None = None
        self._asyncio_loop: asyncio.AbstractEventLoop | None = None
        self._progress = Progress()
        self._calls: Calls | None = None
        self._account = Account()
        #: The terminal event, once there is one.
        self.terminal: Event | None = None

    def cancel(self, why: A3SError) -> None:
        """End the run; the first reason given is the one that counts."""
        if self._why is None:
            self._why = why
        if self._asyncio_loop is not None and self._task is not None:
            try:
                self._asyncio_loop.call_soon_threadsafe(self._task.cancel)
            except RuntimeError:
                log.debug("the run was over before it could be cancelled")

    async def execute(self) -> None:
        """Do the work; the last thing it does is to emit the terminal event."""
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
        except Exception as error:  # Law 1: a bug of ours ends in an event as well.
            log.debug("internal error", exc_info=error)
            failure = internal(error)
        finally:
            self._task.cancel()
            if deadline:
                deadline.cancel()
            self._asyncio_loop = None
        self._before_end()
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
        plan, config = self._plan, self._plan.config
        where = endpoint(config, plan.model, plan.environment)
        self._account = Account(
            Price.of(configured_cost(config, plan.model), where.wire), config.get("max_cost")
        )
        provider = self._provider(where)
        try:
            # A model that cannot call is offered nothing; its file says `tool_call = false`.
            names = plan.tools if where.quirks.get("tool_call", True) else ()
            self._calls = Calls(
                self._surroundings(),
                {name: load(TOOLS[name])() for name in names},
                on_ask=config.get("on_ask"),
            )
            asker = Asker(
                provider,
                where.wire,
                self._emitter,
                CallIds(),
                self._account,
                max_retries=config.get("max_retries"),
                show_input=plan.tool_input,
            )
            await Loop(
                asker,
                self._calls,
                self._emitter,
                self._request(where),
                max_turns=config.get("max_turns"),
                messages=[Message("user", (Text(plan.prompt),))],
                progress=self._progress,
            ).run()
        finally:
            await provider.close()

    def _surroundings(self) -> Surroundings:
        plan, config = self._plan, self._plan.config
        return Surroundings(
            self._emitter,
            plan.policy,
            Workspace(plan.workspace),
            plan.environment,
            CallLimits(
                tool_timeout=config.get("tool_timeout"),
                max_parallel=config.get("max_parallel"),
                max_tool_calls=config.get("max_tool_calls"),
            ),
        )

    def _provider(self, where: Endpoint) -> Provider:
        if where.wire == REPLAY:
            from .providers.replay import ReplayProvider

            return ReplayProvider(where.model)
        from .providers.http import HttpProvider
        from .transport.post import Patience, Transport

        config = self._plan.config
        patience = Patience(
            None if is_loopback(where.base_url) else config.get("first_byte_timeout"),
            config.get("idle_timeout"),
        )
        if where.wire == LOCAL:
            from .local.provider import LocalProvider

            return LocalProvider(where, Transport(), patience, self._plan, self._emitter)
        return HttpProvider(load(WIRES[where.wire]), where, Transport(), patience)

    def _request(self, where: Endpoint) -> Request:
        plan, config = self._plan, self._plan.config
        assert self._calls
        return Request(
            model=where.model,
            system=system_prompt(
                plan.workspace,
                base=config.get("system") or SYSTEM,
                append=config.get("append_system"),
                project=plan.project,
            ),
            messages=(),
            tools=tuple(tool.spec() for tool in self._calls.tools.values()),
            max_tokens=config.get("max_tokens"),
            temperature=config.get("temperature"),
            reasoning=config.get("reasoning"),
        )

    def _ended(self, failure: A3SError | None) -> Event:
        """Give the terminal event."""
        progress, calls = self._progress, self._calls
        tool_calls = calls.executed if calls else 0
        denials = tuple(calls.denials) if calls and calls.denials else None
        duration = self._emitter.elapsed_ms()
        if failure is None:
            return End(
                text=progress.text,
                total_tokens=self._account.total_tokens,
                usage=self._account.usage,
                turns=progress.turns,
                tool_calls=tool_calls,
                duration_ms=duration,
                permission_denials=denials,
                cost_usd=self._account.cost_usd,
            )
        return error_event(
            failure,
            turns=progress.turns,
            tool_calls=tool_calls,
            total_tokens=self._account.total_tokens,
            duration_ms=duration,
            denials=denials,
        )
