"""`a3s run --input json`: one process, one session, any number of consecutive runs.

stdin carries the user's messages as long as the process lives: prompts, messages to
the active run, answers and cancellations. Each run is opened like any other. The
session, the recording and the answers "always" belong to the process and pass from
one run to the next. stdin is read at all times and the queue is bounded, so that a
cancellation always arrives.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, NoReturn

from ..errors import A3SError, Cancelled, ConfigError, SessionBusy, UsageError
from ..events import ControlRejected, Event
from ..input import messages
from ..input.messages import Cancel, GivenAnswer, NoMessage, Prompt, Steer
from ..input.queue import MOST, MOST_BYTES, PromptQueue
from ..input.reader import LineReader
from ..jsontext import dumps
from ..output.log import log_to_stderr
from ..output.writer import HIGH_WATER
from ..permissions.approvals import Approvals
from ..permissions.waiting import WaitingApprover
from ..run.kept import Kept
from ..run.opening import Opening
from ..run.plan import Plan, load_config, make_plan
from ..run.prompt_source import PromptSource, read_prompt
from ..run.request import RunRequest
from ..secrets.redaction import NOTHING
from ..stream.redacted import EventRedactor
from ..values import replace
from .run import LAST_WORDS, Process, RunOptions, keep_stdout, requested, wake_by_signals

if TYPE_CHECKING:
    from ..output.writer import Writer
    from ..stream.recorder import Recording

#: Characters shown of a rejected line.
_SHOWN = 200
_FULL = f"more than {MOST} prompts or {MOST_BYTES >> 20} MiB are queued"


def converse(options: RunOptions) -> NoReturn:
    """Do the runs requested on stdin and exit with the status of the last one."""
    if use := _other_use_of_stdin(options):
        raise UsageError(f"{use} and --input json cannot be combined: both read stdin")
    request = replace(requested(options, _first_prompt, answers=True), keeps_model=True)
    if request.attachments and not request.prompt:
        raise UsageError(
            "--attach needs a prompt argument: the messages on stdin bring their own attachments"
        )
    Dialogue(options, request).run()


def _first_prompt(source: PromptSource) -> str:
    nothing = source.argument is None and source.file is None
    return "" if nothing else read_prompt(source)


def _other_use_of_stdin(options: RunOptions) -> str | None:
    source = options.source
    uses = {
        "-": source.argument == "-",
        "--stdin": source.append_stdin,
        "--prompt-file -": source.file == "-",
        "--schema -": options.schema == "-",
        "--attach -": source.attached_stdin > 0,
    }
    return next((name for name, used in uses.items() if used), None)


class Dialogue(Process):
    """A process with any number of runs; the first may have its prompt from the command line."""

    def __init__(self, options: RunOptions, request: RunRequest) -> None:
        # A placeholder until the first run starts.
        super().__init__(options, Opening(request))
        self._request = request
        self._plan: Plan | None = None
        self._kept: Kept | None = None
        self._approvals: Approvals | None = None
        self._recording: Recording | None = None
        self._answers = WaitingApprover("stdin")
        self._running = False
        # Whether no further run starts, and whether none was active when that was decided.
        self._leaving = False
        self._idle_end = False
        # The number of rejections dropped because the reader does not read.
        self._untold = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: PromptQueue | None = None

    def run(self) -> NoReturn:
        """Handle the messages on stdin to its end and exit."""
        self._decide()
        writer = self._open_output()
        self._listen()
        loop = self._loop = asyncio.new_event_loop()
        wake_by_signals(loop)
        ended = loop.run_until_complete(self._converse(writer))
        status = 0 if ended is None else int(ended.exit_code)
        if ended is not None and ended.code == "timeout":
            self._last_words = time.monotonic() + LAST_WORDS
        # A run that succeeded was already over when the signal arrived.
        if self._signal is not None and (self._idle_end or status == 0):
            status = 128 + self._signal
        if self._recording is not None:
            self._recording.close()
        self._leave(writer, status)

    def _decide(self) -> None:
        """Check the command line before any message is read."""
        try:
            plan = make_plan(self._request, load_config(self._request))
            if self._request.attachments:
                from ..run.attaching import attach

                attach(plan, self._request.attachments)
            self._use(plan)
            if self._options.session is not None:
                self._opening.kept = self._session_of(plan)
        except (ConfigError, SessionBusy):
            return  # Each run reports it in its stream while it lasts.

    def _use(self, plan: Plan) -> None:
        self._plan = plan
        keep_stdout(plan)
        self._approvals = Approvals(plan.policy)
        log_to_stderr(plan.redactor, debug=self._options.debug)

    def _session_of(self, plan: Plan) -> Kept:
        if self._kept is None:
            self._kept = self._session(plan)
        return self._kept

    async def _converse(self, writer: Writer) -> Event | None:
        """Do every run; return the terminal event of the last one."""
        queue = self._queue = PromptQueue()
        if self._request.prompt:
            queue.put(Prompt(self._request.prompt, attachments=tuple(self._request.attachments)))
        LineReader(0, self._take, self._end, limit=messages.LONGEST)
        ended: Event | None = None
        while not self._leaving and (prompt := await queue.next()) is not None:
            if self._leaving:
                break
            ended = await self._answer(prompt, writer) or ended
            for words in reversed(self._opening.voice.steering.close()):
                queue.put(Prompt(words), first=True)
        return ended

    async def _answer(self, prompt: Prompt, writer: Writer) -> Event | None:
        """Do one run; None for a prompt whose attachments cannot be used."""
        request = replace(
            self._request, prompt=prompt.text, prompt_id=prompt.id, attachments=prompt.attachments
        )
        opening = Opening(request)
        try:
            self._decided(opening)
        except UsageError as error:
            self._reject(_with_hint(error), prompt.text, prompt.id)
            return None
        self._opening = opening
        opening.keep(self._session_of)
        opening.emitter.add_line_sink(self.line_sink(writer), writer.drain)
        opening.recording = self._recording
        opening.voice.approvals = self._approvals
        opening.begin(several=True)
        self._recording = opening.recording
        self._running = True
        try:
            asks = self._plan is not None and self._plan.on_ask == "prompt"
            ended = await opening.execute(self._answers if asks else None)
        finally:
            self._running = False
        self.tell_failure(ended)
        return ended

    def _decided(self, opening: Opening) -> None:
        """Plan a run; raise UsageError if its attachments cannot be used."""
        if self._plan is None:
            opening.decide()
            if opening.plan is not None:
                self._use(replace(opening.plan, attachments=()))
        else:
            opening.use(replace(self._plan, prompt=opening.request.prompt))

    # -- what comes in -----------------------------------------------------------------

    def _take(self, lines: list[bytes]) -> None:
        for line in lines:
            if not line.strip():
                continue
            try:
                self._obey(messages.message(line))
            except NoMessage as wrong:
                self._reject(str(wrong), line[: 4 * _SHOWN].decode(errors="replace"), wrong.id)

    def _obey(self, message: messages.Message) -> None:
        """Obey a message; raise `NoMessage` if that is not possible now."""
        assert self._queue is not None
        steering = self._opening.voice.steering
        if isinstance(message, Cancel):
            self._cancel_run()
        elif isinstance(message, GivenAnswer):
            if not self._answers.answer(message.tool_id, message.reply):
                called = f"{message.tool_id[:100]!r}"
                raise NoMessage(f"no permission_request for the call {called} is open")
            if message.reply.answer != "no" and message.reply.text:
                steering.say(message.reply.text)
        else:
            files = message.attachments if isinstance(message, Prompt) else ()
            prompt = Prompt(message.text, message.id, files)
            if not self._queue.has_room(prompt, steering.waiting):
                raise NoMessage(_FULL, message.id)
            steers = isinstance(message, Steer) and self._running
            if not (steers and steering.say(message.text)):
                self._queue.put(prompt)

    def _cancel_run(self) -> None:
        if not self._running:
            return
        assert self._queue is not None
        self._opening.cancel(Cancelled("the run was cancelled"))
        for words in self._opening.voice.steering.close():
            self._reject("the run was cancelled before its next turn", words, None)
        for prompt in self._queue.drop():
            self._reject("the prompt was dropped by a cancel", prompt.text, prompt.id)

    def _end(self) -> None:
        assert self._queue is not None
        self._answers.leave("stdin has ended")
        self._queue.close()

    def _reject(self, why: str, line: str, id: str | int | None) -> None:
        """Emit `control_rejected`, within the active run or between two runs."""
        assert self._writer
        if self._writer.pending > HIGH_WATER:
            self._untold += 1  # a flood of lines, and a reader that does not read
            return
        if self._untold:
            why = f"{why} ({self._untold} earlier lines were rejected as well)"
            self._untold = 0
        rejected: Event = ControlRejected(error=why, line=line[:_SHOWN], id=id)
        if self._running:
            self._opening.emitter.emit(rejected)
            return
        redactor = self._plan.redactor if self._plan else NOTHING
        for event in EventRedactor(redactor).events(rejected):
            event.stamp(0, time.time_ns() // 1_000_000)
            said = event.to_dict()
            del said["seq"]
            self._writer.write(dumps(said) + b"\n")

    # -- the end -----------------------------------------------------------------------

    def _cancel(self, why: A3SError) -> None:
        """Cancel the active run and start no other; safe in any thread or signal handler."""
        if not self._leaving:
            self._leaving, self._idle_end = True, not self._running
        super()._cancel(why)
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is already closed
                self._loop.call_soon_threadsafe(self._forget)

    def _forget(self) -> None:
        if self._queue is not None:
            for prompt in self._queue.drop():
                self._reject(
                    "the prompt was dropped because the process is ending", prompt.text, prompt.id
                )
            self._queue.close()


def _with_hint(error: A3SError) -> str:
    return f"{error} ({error.hint})" if error.hint else str(error)
