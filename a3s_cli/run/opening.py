"""The one place where a run starts: from its request to `start`, and on to the last event.

The command line, the library and the server all start runs here, and differ only in
the sinks that they add and in who answers questions. The steps, in order:

    opening = Opening(request)
    opening.decide()              # configuration -> plan; or `use` an existing plan
    opening.keep(open_session)    # the conversation so far, and where this run is saved
    opening.emitter.add_line_sink(write, drain)
    opening.begin()               # redaction, recording, `start`, notices
    await opening.execute()       # the work, and the terminal event

If the configuration is broken or the session is in use, the stream is `start` and
`error`. Nothing that does the work is imported before `start` has been emitted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..config.settings import RULES, Setting
from ..errors import A3SError, ConfigError, SessionBusy, internal
from ..events import Event, Notice
from ..registry import MCP
from ..sandbox.environment import PARENT_VARIABLE, held_secrets, too_short
from ..secrets.redaction import Redactor
from ..stream.emitter import Emitter
from .kept import Kept
from .plan import Plan, known_run_id, load_config, make_plan, start_event
from .request import RunRequest
from .voice import Voice

if TYPE_CHECKING:
    from ..config.settings import Config, ConfigNotice
    from ..permissions.approval import Approver
    from ..stream.recorder import Recording
    from .cost import Account
    from .run import Run


class Opening:
    """One run of one request. `cancel` may be called at any time, from any thread."""

    def __init__(self, request: RunRequest) -> None:
        self.request = request
        self.emitter = Emitter()
        #: None before `decide`, and if the configuration is broken.
        self.plan: Plan | None = None
        self.kept = Kept()
        self.recording: Recording | None = None
        #: What the user can say while the run goes on.
        self.voice = Voice()
        #: The run's id, as in its `start`.
        self.id = ""
        #: The terminal event, once it has been emitted.
        self.terminal: Event | None = None
        #: What the run has used (`cost.Account`); None before its end, and if it could not begin.
        self.account: Account | None = None
        #: Why the run is cancelled: the first reason given.
        self.cancelled: A3SError | None = None
        self._config: Config | None = None
        self._failure: A3SError | None = None
        self._run: Run | None = None

    def decide(self) -> None:
        """Make the plan. A broken configuration fails the run. Raises UsageError."""
        try:
            self._config = load_config(self.request)
            self._attach(make_plan(self.request, self._config))
        except ConfigError as error:
            self._failure = error

    def _attach(self, plan: Plan) -> None:
        if self.request.attachments:
            from .attaching import attach

            plan = attach(plan, self.request.attachments)
        self.plan = plan

    def use(self, plan: Plan) -> None:
        """Use an existing plan, made from a request that differs only in its prompt.

        Raises UsageError if the request has attachments that cannot be used.
        """
        self._config = plan.config
        self._attach(plan)

    def keep(self, opened: Callable[[Plan], Kept]) -> None:
        """Open the session, if there is a plan. A session in use fails the run."""
        if self.plan is None:
            return
        try:
            self.kept = opened(self.plan)
        except (ConfigError, SessionBusy) as error:
            self._failure = error

    def begin(self, *, several: bool = False) -> None:
        """Emit `start` and the notices that come before any work.

        With `several`, a recording stays open for the runs after this one: give it to
        the next opening as its `recording`.
        """
        self._hide()
        self.kept.begin(self.emitter)
        self._record(several)
        request = self.request
        prompt = self.plan.prompt if self.plan else request.prompt
        start = start_event(prompt, request.workspace, self.plan, session_id=self.kept.id)
        self.id = self.emitter.run_id = start.run_id
        also: dict[str, Any] = {
            "forked_from": self.kept.forked_from,
            "prompt_id": request.prompt_id,
        }
        if parent := os.environ.get(PARENT_VARIABLE):
            also["parent_run_id"] = known_run_id(parent)
        told = {name: value for name, value in also.items() if value is not None}
        if self.plan and self.plan.attachments:
            told["attachments"] = [file.facts for file in self.plan.attachments]
        self.emitter.emit(start.replace(**told) if told else start)
        for notice in (*self._config.notices, *self._of_rules()) if self._config else ():
            self.emitter.emit(Notice(code=notice.code, text=notice.text, **notice.fields))
        for name in too_short(os.environ, request.settings.get("redact_env", ())):
            text = f"--redact-env {name}: its value is too short to be hidden"
            self.emitter.emit(Notice(code="secret_too_short", text=text, key=name))
        self.kept.tell(self.emitter)

    def _of_rules(self) -> Iterable[ConfigNotice]:
        """Return the notices about rules for MCP servers, where servers are used at all."""
        config, given = self._config, self.request.rules
        if self.plan is None or config is None or self.request.mcp == ():
            return ()
        rules = [Setting(one, f"--{kind}") for kind in RULES for one in given.get(kind, ())]
        rules += [one for kind in RULES for one in config.get(kind)]
        if not any(one.value.startswith(MCP) for one in rules):
            return ()
        from .mcp import unknown_in_rules

        return unknown_in_rules(config, rules)

    def _hide(self) -> None:
        if self.plan is not None:
            redactor = self.plan.redactor
        else:
            named = self.request.settings.get("redact_env", ())
            held = held_secrets(self._config, os.environ, named)
            redactor = Redactor({**held, **self.request.secrets})
        self.emitter.redact(redactor)

    def _record(self, several: bool) -> None:
        if self.request.record is None:
            return
        if self.recording is None:
            from ..stream.recorder import Recording

            self.recording = Recording.create(self.request.record, self.cancel, several=several)
        else:
            self.recording.go_on(self.cancel)
        self.emitter.record(self.recording)

    async def execute(
        self, approver: Approver | None = None, before_end: Callable[[], None] = lambda: None
    ) -> Event:
        """Do the work, emit the terminal event and return it.

        `before_end` is called in between, and may emit notices.
        """
        self.voice.approver = approver
        try:
            if self._failure is not None or self.plan is None:
                assert self._failure is not None
                return self.fail(self._failure)
            return await self._work(self.plan, before_end)
        except Exception as error:  # A broken installation ends in an event, too.
            if self.terminal is not None:
                raise
            return self.fail(internal(error))
        finally:
            self.kept.end_run(self.terminal)

    async def _work(self, plan: Plan, before_end: Callable[[], None]) -> Event:
        self.kept.ask(plan.prompt, plan.attachments)
        self.kept.tell(self.emitter)
        from .run import Run

        def told() -> None:
            self.kept.tell(self.emitter)
            before_end()

        self._run = Run(plan, self.emitter, self.kept.conversation, self.voice, told)
        if self.cancelled is not None:
            self._run.cancel(self.cancelled)
        try:
            await self._run.execute()
        finally:
            # The run holds its conversation, and this object may live long.
            self.terminal, self.account = self._run.terminal, self._run.account
            self._run = None
        assert self.terminal
        return self.terminal

    def cancel(self, why: A3SError) -> None:
        """Cancel the run; the stream still ends with its terminal event."""
        self.cancelled = self.cancelled or why
        if self._run is not None:
            self._run.cancel(self.cancelled)

    def fail(self, failure: A3SError) -> Event:
        """End the stream of a run that cannot start; return its terminal event."""
        from .terminal_event import error_event

        def told(failure: A3SError) -> Event:
            return error_event(failure, duration_ms=self.emitter.elapsed_ms())

        self.kept.settle(str(failure))
        self.terminal = self.emitter.end(told(failure), told)
        return self.terminal
