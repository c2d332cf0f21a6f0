"""A conversation in a workspace: prompts go in, streams of events come out.

One prompt at a time: the next one sees what was said before. What a run may do
is planned once, by the same functions that plan a run of the command line, and
it is run by the same code. A session that is not used costs next to nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SessionBusy
from ..run.kept import Kept, keep
from ..run.opening import Opening
from ..run.plan import load_config, make_plan
from ..run.prompt_source import checked_prompt
from ..stream.emitter import Drain, Emitter, EventSink
from ..values import replace
from .answer_type import AnswerType
from .closable import Closing
from .direct_call import DirectCall, ToolOutcome
from .event_stream import EventStream, Running
from .options import SessionOptions
from .prompt_run import After, PromptRun
from .result import Result
from .session_request import session_request

if TYPE_CHECKING:
    from ..permissions.approval import Approver


class Session(Closing):
    """A conversation. Made by `Agent.session`."""

    def __init__(
        self,
        workspace: Path,
        options: SessionOptions,
        *,
        config_file: str | None = None,
        config_text: str | None = None,
    ) -> None:
        self._options = options
        self._request = session_request(workspace, options, config_file, config_text)
        # Once for all its runs, so that what is wrong is said here.
        self._plan = make_plan(self._request, load_config(self._request))
        self._on_disk = options.session_id is not None or options.store is not None
        # One that is kept is opened by its first run: until then it costs nobody a lock.
        self._kept: Kept | None = None
        self._beginning = threading.Lock()
        self._current: EventStream | None = None

    @property
    def id(self) -> str | None:
        """The name under which the conversation is kept on disk; None where it is not."""
        return self._kept.id if self._kept else self._options.session_id

    def stream(self, prompt: str, *, schema: Any = None) -> EventStream:
        """Send a prompt; the run begins when the stream is first read.

        `schema` is a JSON Schema or a pydantic model: the run's answer is then an
        object of it. Raises SessionBusy while another stream of this session is
        being read, UsageError for a blank prompt or a bad schema.
        """
        wanted = AnswerType.of(schema)
        plan = replace(self._plan, prompt=checked_prompt(prompt), schema=wanted.schema)

        def begin(sink: EventSink, drain: Drain) -> Running:
            opening = Opening(self._request)
            opening.use(plan)
            opening.keep(lambda _: self._opened())
            opening.emitter.add_event_sink(sink, drain)
            opening.begin()
            return PromptRun(opening, self._approver(), wanted)

        return self._stream(begin)

    def send(self, prompt: str, *, schema: Any = None) -> Result:
        """Send a prompt and wait for what comes of it; raises the typed error of a failed run."""
        return self.stream(prompt, schema=schema).result()

    async def asend(self, prompt: str, *, schema: Any = None) -> Result:
        """As `send`, in the running loop."""
        return await self.stream(prompt, schema=schema)

    def tool(self, name: str, arguments: Mapping[str, Any] | None = None) -> ToolOutcome:
        """Call one tool directly, under the rules that hold for the model's calls."""
        stream, calls = self._tool_stream(name, arguments)
        events = tuple(stream)
        stream.require_whole()
        return calls[0].outcome(events)

    async def atool(self, name: str, arguments: Mapping[str, Any] | None = None) -> ToolOutcome:
        """As `tool`, in the running loop."""
        stream, calls = self._tool_stream(name, arguments)
        events = tuple([event async for event in stream])
        stream.require_whole()
        return calls[0].outcome(events)

    def cancel(self) -> None:
        """Cancel the stream that is being read, if any; from any thread."""
        if self._current is not None:
            self._current.cancel()

    def close(self) -> None:
        """Cancel what runs, wait until nothing of it is left, and let others use the session."""
        if self._current is not None:
            self._current.close()
        self._let_go()

    async def aclose(self) -> None:
        """As `close`, without blocking the running loop."""
        if self._current is not None:
            await self._current.aclose()
        self._let_go()

    def __del__(self) -> None:
        if getattr(self, "_kept", None) is not None:
            self._kept.release()  # type: ignore[union-attr]

    # -- one stream at a time ----------------------------------------------------------

    def _stream(self, begin: Callable[[EventSink, Drain], Running]) -> EventStream:
        self._require_free()

        def start(sink: EventSink, drain: Drain) -> Running:
            with self._beginning:
                self._require_free()
                previous, self._current = self._current, stream
            try:
                return After(previous, begin(sink, drain))
            except BaseException:
                self._current = previous
                raise

        stream = EventStream(start)
        return stream

    def _require_free(self) -> None:
        if self._current is not None and not self._current.ending:
            raise SessionBusy(
                "another stream of this session is still being read",
                hint="read it to its end or cancel it, or use a session for each",
            )

    def _opened(self) -> Kept:
        """Give the conversation so far, from the disk where it is kept there."""
        if self._kept is None and self._on_disk:
            plan, options = self._plan, self._options
            self._kept = keep(
                plan.environment,
                plan.workspace,
                plan.redactor.whole,
                named=options.session_id,
                directory=None if options.store is None else Path(options.store),
            )
        elif self._kept is None:
            self._kept = Kept()
        return self._kept

    def _let_go(self) -> None:
        if self._kept is not None and self._on_disk:
            self._kept.close()
            self._kept = None

    def _tool_stream(
        self, name: str, arguments: Mapping[str, Any] | None
    ) -> tuple[EventStream, list[DirectCall]]:
        calls: list[DirectCall] = []

        def begin(sink: EventSink, drain: Drain) -> Running:
            emitter = Emitter()
            emitter.redact(self._plan.redactor)
            emitter.add_event_sink(sink, drain)
            approver, call = self._approver(), (name, arguments or {})
            conversation = self._opened().conversation
            calls.append(DirectCall(self._plan, emitter, conversation, approver, call))
            return calls[0]

        return self._stream(begin), calls

    def _approver(self) -> Approver | None:
        if self._options.on_ask is None:
            return None
        from .callback_approval import CallbackApprover

        return CallbackApprover(self._options.on_ask)
