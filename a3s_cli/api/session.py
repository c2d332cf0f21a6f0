"""A conversation in a workspace: prompts go in, streams of events come out.

A session runs one prompt at a time, and each sees the conversation so far. Its plan
is made once, by the functions that plan the command line's runs, and executed by
the same code. An unused session costs next to nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SessionBusy
from ..events import TERMINAL
from ..permissions.approvals import Approvals
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
from .session_request import given_attachments, session_request

if TYPE_CHECKING:
    from ..permissions.approval import Approver


#: The events around a direct call.
FRAME = ("start", *TERMINAL)


class Session(Closing):
    """A conversation, opened by `Agent.session`. Close it, or use it in a `with` block."""

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
        # Once for all its runs, so that mistakes are reported here.
        self._plan = make_plan(self._request, load_config(self._request))
        #: What was answered with "always": it holds for the session.
        self._approvals = Approvals(self._plan.policy)
        self._on_disk = options.session_id is not None or options.store is not None
        # Opened by the first run: until then it locks nothing.
        self._kept: Kept | None = None
        self._beginning = threading.Lock()
        self._current: EventStream | None = None

    @property
    def id(self) -> str | None:
        """The id under which the conversation is saved on disk; None if it is not saved."""
        return self._kept.id if self._kept else self._options.session_id

    def stream(
        self, prompt: str, *, schema: Any = None, attachments: Sequence[Path | bytes] = ()
    ) -> EventStream:
        """Send a prompt; the run starts when the stream is first read.

        With a `schema`, the run answers with a value that satisfies it. A schema is a JSON
        Schema, or a type that pydantic knows (a model, a dataclass, a TypedDict, `list[X]`,
        a TypeAdapter), whose validators the answer must pass as well.

        `attachments` are images, PDF files or text: bytes, or paths of files that the rules
        allow `read` to show.

        Raises UsageError for a blank prompt, an invalid schema or an attachment that cannot
        be used, TypeError for one that is neither a Path nor bytes, and SessionBusy while
        another stream of this session is being read (checked again when this one is first
        read). If another process uses the saved session, the run itself fails.
        """
        wanted = AnswerType.of(schema)
        plan = replace(
            self._plan, prompt=checked_prompt(prompt), schema=wanted.schema, check=wanted.check
        )
        if attachments:
            from ..run.attaching import attach

            plan = attach(plan, given_attachments(attachments))

        def begin(sink: EventSink, drain: Drain) -> Running:
            opening = Opening(self._request)
            opening.use(plan)
            opening.keep(lambda _: self._opened())
            opening.emitter.add_event_sink(sink, drain)
            opening.voice.approvals = self._approvals
            opening.begin()
            return PromptRun(opening, self._approver(), wanted)

        return self._stream(begin)

    def send(
        self, prompt: str, *, schema: Any = None, attachments: Sequence[Path | bytes] = ()
    ) -> Result:
        """Send a prompt and wait for the run's result.

        Raises what `stream` raises. If the run fails, raises its A3SError: the class and
        `code` say what failed, and `events` has the events of the run.
        """
        return self.stream(prompt, schema=schema, attachments=attachments).result()

    async def asend(
        self, prompt: str, *, schema: Any = None, attachments: Sequence[Path | bytes] = ()
    ) -> Result:
        """Like `send`, in the running event loop. Raises the same."""
        return await self.stream(prompt, schema=schema, attachments=attachments)

    def tool(self, name: str, arguments: Mapping[str, Any] | None = None) -> ToolOutcome:
        """Call one tool directly, under the same rules as the model's calls.

        A call that fails or is denied raises nothing: the outcome says so. Raises
        SessionBusy while the session is in use, Cancelled if the call is cancelled,
        ConfigError or AuthError if the tool needs a model that cannot be reached.
        """
        stream, calls = self._tool_stream(name, arguments)
        events = tuple(stream)
        stream.require_whole()
        return calls[0].outcome(events)

    async def atool(self, name: str, arguments: Mapping[str, Any] | None = None) -> ToolOutcome:
        """Like `tool`, in the running event loop. Raises the same."""
        stream, calls = self._tool_stream(name, arguments)
        events = tuple([event async for event in stream])
        stream.require_whole()
        return calls[0].outcome(events)

    def cancel(self) -> None:
        """Cancel the stream that is being read, if any. May be called from any thread."""
        if self._current is not None:
            self._current.cancel()

    def close(self) -> None:
        """Cancel what is running, wait until nothing of it is left, and unlock a saved session."""
        if self._current is not None:
            self._current.close()
        self._let_go()

    async def aclose(self) -> None:
        """Like `close`, without blocking the running event loop."""
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
                if previous is None or previous.over:
                    return begin(sink, drain)
                if stream.in_thread and previous.in_this_loop:
                    raise SessionBusy(
                        "the previous stream is still ending in this event loop,"
                        " which must not be blocked",
                        hint="use `await session.asend(…)`, or first `await stream.aclose()`",
                    )
                return After(previous, lambda: begin(sink, drain))
            except BaseException:
                self._current = previous
                raise

        stream = EventStream(start)
        return stream

    def _require_free(self) -> None:
        if self._current is not None and not self._current.ending:
            raise SessionBusy(
                "another stream of this session is still being read",
                hint="read it to its end, cancel it, or open a second session",
            )

    def _opened(self) -> Kept:
        """Return the conversation so far, from disk if it is saved there."""
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
            # The stream of a direct call is read in here, so no one could answer through it.
            approver, call = self._callback(), (name, arguments or {})
            kept = self._opened()
            calls.append(DirectCall(self._plan, emitter, kept, approver, call, self._approvals))
            # What surrounds the call is for the session's file alone.
            emitter.add_event_sink(
                lambda events: sink([one for one in events if one.type not in FRAME]), drain
            )
            return calls[0]

        return self._stream(begin), calls

    def _approver(self) -> Approver | None:
        if self._options.on_ask != "stream":
            return self._callback()
        from ..permissions.waiting import WaitingApprover

        return WaitingApprover("program")

    def _callback(self) -> Approver | None:
        if self._options.on_ask is None or self._options.on_ask == "stream":
            return None
        from .callback_approval import CallbackApprover

        return CallbackApprover(self._options.on_ask)
