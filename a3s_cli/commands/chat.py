"""`a3s chat`: `a3s run` in a loop, in one session, with a line editor between the runs.

Each prompt is a run, opened like any other and shown as `-o pretty` shows it. The
session, the configuration and the answers "always" belong to the conversation. Ctrl-C
ends the run and not the program; a second one kills the run's processes at once; at
the prompt it clears the line. A line that begins with `/` is for a3s itself.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from ..errors import A3SError, Cancelled, UsageError
from ..events import Event
from ..input.line_editor import LineEditor
from ..messages import Message, Usage
from ..output.log import log_to_stderr
from ..output.person import complain, readable
from ..output.terminal import Style, encode
from ..output.wording import count, dollars, tokens
from ..output.writer import Writer
from ..permissions.approvals import Approvals
from ..run.cost import Account
from ..run.kept import Kept
from ..run.opening import Opening
from ..run.plan import Plan, load_config, make_plan
from ..run.request import RunRequest
from ..values import replace
from .run import SAME_PRESS, Process, RunOptions, requested, wake_by_signals

#: What a line may begin with, and what that does.
COMMANDS = {
    "/help": "show these commands",
    "/model": "show the model; with a name, use another one from now on",
    "/undo": "drop the last prompt and its answer; files stay as they are",
    "/cost": "show the tokens and the cost so far",
    "/quit": "leave, like Ctrl-D",
}
_COMMAND = re.compile(r"(/[a-z]*)(?:\s+(.*))?", re.DOTALL)


_SPAWNER = "a3s_cli.processes.spawner"


class _Leave(BaseException):
    """A signal has ended the conversation at the prompt."""


def chat(options: RunOptions) -> NoReturn:
    """Talk until the person leaves. Raises `UsageError` without a terminal."""
    if not (os.isatty(0) and os.isatty(1)):
        raise UsageError(
            "chat needs a terminal on stdin and stdout",
            hint="for one prompt: a3s run PROMPT; for several from a program: a3s run --input json",
        )
    request = replace(requested(options, lambda _: "", answers=True), keeps_model=True)
    Chat(options, request).run()


class Chat(Process):
    """A process with one run for each line of a person's."""

    SPAN = "in this conversation"

    def __init__(self, options: RunOptions, request: RunRequest) -> None:
        super().__init__(options, Opening(request))
        self._request = request
        self._style = Style.detect(os.environ, True, plain=options.plain)
        self._kept: Kept | None = None
        self._running = self._reading = False
        #: The conversations before each prompt, for /undo.
        self._before: list[list[Message]] = []
        self._prompts = 0
        self._usage = Usage()
        self._cost: float | None = None

    def run(self) -> NoReturn:
        """Read lines and do what they say, to the end; exit."""
        self._plan = make_plan(self._request, load_config(self._request))
        self._approvals = Approvals(self._plan.policy)
        if self._options.session is not None:
            self._session_of(self._plan)
        log_to_stderr(self._plan.redactor, debug=self._options.debug)
        writer = self._writer = self._open_writers()
        self._listen()
        self._loop = asyncio.new_event_loop()
        wake_by_signals(self._loop)
        editor = LineEditor(list(COMMANDS), self._history(), colour=self._style.colour)
        self._say(f"model {self._plan.model} · /help lists the commands, Ctrl-D leaves")
        try:
            self._converse(editor, writer)
        except _Leave:
            self._say("")
        editor.save()
        if self._prompts:
            self._say(f"{count(self._prompts, 'prompt')} · {self._account()}")
            if self._kept and self._kept.id:
                self._say(f"to go on: a3s chat --session {self._kept.id}")
        self._leave(writer, 128 + self._signal if self._signal else 0)

    def _history(self) -> str | None:
        """Return the file of the history, beside the sessions; None if nothing is kept."""
        if not self._options.keep_session:
            return None
        from ..sessions.file import NotKept
        from ..sessions.store import Store

        try:
            return str(Store.find(os.environ).directory.parent / "history")
        except NotKept:
            return None

    def _converse(self, editor: LineEditor, writer: Writer) -> None:
        while self._signal is None and self._lost is None:
            self._loop.run_until_complete(writer.flush())
            try:
                self._reading = True
                if self._signal is not None:  # since the last look
                    return
                line = editor.read()
            except KeyboardInterrupt:
                self._say("")
                continue
            except EOFError:
                self._say("")
                return
            finally:
                self._reading = False
            command = _COMMAND.fullmatch(line.strip())
            if command is None:
                if line.strip():
                    self._answer(line, writer)
            elif command[1] == "/quit":
                return
            else:
                self._obey(command[1], (command[2] or "").strip())

    # -- runs --------------------------------------------------------------------------

    def _answer(self, prompt: str, writer: Writer) -> None:
        """Do one run and show it."""
        opening = self._opening = Opening(replace(self._request, prompt=prompt))
        opening.use(replace(self._plan, prompt=prompt))
        opening.keep(self._session_of)
        sink = self._sink(writer)

        def show(events: list[Event]) -> None:
            # The model was named when the conversation began.
            sink([e.replace(model=None) if e.type == "start" else e for e in events])

        opening.emitter.add_event_sink(show, writer.drain)
        opening.voice.approvals = self._approvals
        before = list(opening.kept.conversation.messages)
        self._running = True
        try:
            self._say("")
            opening.begin()
            approver = self._approver(self._plan)
            self._loop.run_until_complete(opening.execute(approver))
        finally:
            self._running = False
        self._before.append(before)
        self._prompts += 1
        self._add(opening.account)
        self._say("")

    def _add(self, account: Account | None) -> None:
        """Count a run, whatever its end: what a cancelled one has used is spent, too."""
        if account is None:
            return
        if account.usage:
            self._usage = self._usage + account.usage
        if account.cost_usd is not None:
            self._cost = (self._cost or 0.0) + account.cost_usd

    def _session_of(self, plan: Plan) -> Kept:
        if self._kept is None:
            self._kept = self._session(plan)
        return self._kept

    # -- what a line says --------------------------------------------------------------

    def _obey(self, name: str, argument: str) -> None:
        doing: dict[str, Callable[[str], None]] = {
            "/help": self._help,
            "/model": self._model,
            "/undo": self._undo,
            "/cost": lambda _: self._say(self._account()),
        }
        if name in doing:
            doing[name](argument)
            return
        from difflib import get_close_matches

        near = get_close_matches(name, COMMANDS, 1)
        meant = f"; did you mean {near[0]}?" if near else "; /help lists the commands"
        self._say(f"there is no command {name}{meant}")

    def _help(self, _: str) -> None:
        for name, does in COMMANDS.items():
            self._say(f"{name:8}{does}")
        self._say("Ctrl-C  end the run; again: kill its processes; at the prompt: clear the line")

    def _model(self, name: str) -> None:
        if name:
            settings = {**self._request.settings, "model": name}
            request = replace(self._request, settings=settings)
            try:
                self._plan = make_plan(request, load_config(request))
            except A3SError as error:
                complain(str(error), error.hint)
                return
            self._request = request
        self._say(f"model {self._plan.model}")

    def _undo(self, _: str) -> None:
        conversation = self._kept.conversation if self._kept else None
        messages = conversation.messages if conversation else []
        if self._before:
            messages = self._before.pop()
        else:  # an exchange of an earlier process
            asked = [place for place, one in enumerate(messages) if one.role == "user"]
            if not asked:
                self._say("there is nothing to undo")
                return
            messages = messages[: asked[-1]]
        assert conversation
        conversation.replace(messages)
        conversation.unfinished = ""
        self._say("dropped the last prompt and its answer; files stay as they are")

    def _account(self) -> str:
        parts = [tokens(self._usage)]
        if self._cost is not None:
            parts.append(dollars(self._cost))
        return " · ".join(parts)

    def _say(self, text: str) -> None:
        assert self._writer
        self._writer.write(encode(self._style.paint("2", readable(text)) + "\n"))

    # -- signals -----------------------------------------------------------------------

    def _on_signal(self, number: int, frame: object) -> None:
        if number != signal.SIGINT:
            super()._on_signal(number, frame)
            if self._reading:
                raise _Leave
            return
        if self._reading:
            raise KeyboardInterrupt
        if not self._running:
            return
        now = time.monotonic()
        if self._opening.cancelled is None:
            self._signalled_at = now
            self._opening.cancel(Cancelled("cancelled by SIGINT", signal=number))
        elif now - self._signalled_at > SAME_PRESS and _SPAWNER in sys.modules:
            sys.modules[_SPAWNER].kill_all()
