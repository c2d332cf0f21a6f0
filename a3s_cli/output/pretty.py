"""`-o pretty`: a run for a person to watch.

The assistant's text appears as it streams. Each call has a number, and every
line about it begins with that number, so parallel calls stay readable:

    [1] bash  pytest -q
    [1] │ 3 passed in 0.12s
    [1] ✓ exit 0 · 0.6s

Nothing from a model or a tool can control the terminal or a CI system. No line
is wider than the terminal; the assistant's text wraps at words, as Markdown
(`markdown.py`). While the model or a tool takes its time, a live line says so
(`live.py`). Notices and errors go to stderr, worded as in `raw`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..events import Event
from .disarm import Disarmer, disarm
from .drawing import Drawing
from .page import DIM, Output, Prose, ReasoningBlock, TerminalPage
from .terminal import Style, encode, fit, neutralise, single_line
from .wording import argument, compact, count, diagnostics, dollars, duration, tokens

if TYPE_CHECKING:
    from .diff import Diff
    from .live import LiveLine

#: Rows of a diff that are shown of a call.
DIFF_ROWS = 40
_BOLD, _RED, _GREEN, _YELLOW = "1", "31", "32", "33"


class Pretty:
    """A sink: the events of one network read become one write.

    `hide` hides secrets in the text of files; None if the run is a recording, whose files
    may be others by now. A recording is shown `uncut`.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        error: Callable[[bytes], None],
        style: Style,
        *,
        hide: Callable[[str], str] | None = None,
        uncut: bool = False,
    ) -> None:
        self._write = write
        self._error = error
        self._style = style
        self._page = TerminalPage(style)
        self._prose = Prose(self._page)
        self._reasoning = ReasoningBlock(self._page)
        self._drawing = Drawing(write, style) if style.moves else None
        self._live: LiveLine | None = None
        self._hide = hide
        self._uncut = uncut
        self._cwd = self._session = ""
        #: Whether some output was not shown.
        self._omitted = False
        #: Whether the model's weights are being downloaded.
        self._fetching = False
        self._numbers: dict[str, int] = {}
        self._outputs: dict[str, Output] = {}
        self._diffs: dict[str, Diff] = {}
        #: Calls with a command, which has an exit status of its own.
        self._commands: set[str] = set()
        self._render: Mapping[str, Callable[[Event], None]] = {
            "start": self._start,
            "turn_start": self._turn_start,
            "turn_end": self._turn_end,
            "text_delta": self._text,
            "reasoning_delta": self._think,
            "tool_start": self._tool_start,
            "tool_output_delta": self._tool_output,
            "tool_end": self._tool_end,
            "permission_denied": self._denied,
            "tool_rejected": self._rejected,
            "permission_request": self._asked,
            "permission_answer": self._answered,
            "retry": self._retry,
            "notice": self._notice,
            "end": self._end,
            "error": self._failed,
        }

    def accept(self, events: Sequence[Event]) -> None:
        """Show these events."""
        for event in events:
            if _is_partial(event):
                self._draw(event)
            elif render := self._render.get(event.type):
                if self._drawing:
                    self._drawing.erase()
                render(event)
        self._flush()

    def _draw(self, event: Event) -> None:
        # Partial objects are for programs, and for a screen that can be redrawn.
        if self._drawing:
            self._page.end_line()
            self._done("model")
            self._flush(live=False)
            self._drawing.show(event.text)

    def _flush(self, *, live: bool = True) -> None:
        text = self._page.take()
        if self._live:
            text = self._live.around(text, again=live)
        if text:
            self._write(encode(text))

    # What is waited for

    def _wait(
        self, key: str, name: str, output: Output | None = None, *, pauses: bool = False
    ) -> None:
        if not self._style.moves:
            return
        from .live import DELAY, PAUSE, LiveLine, Wait

        if self._live is None:
            self._live = LiveLine(self._write, self._style, self._room)
        self._live.wait(key, Wait(name, output, PAUSE if pauses else DELAY))

    def _heard(self, name: str) -> None:
        """Wait for the model's next piece; what was shown of this one begins a new pause."""
        if self._page.fresh:
            self._done("model")
        self._wait("model", name, pauses=True)

    def _room(self) -> int:
        drawn = self._drawing is not None and self._drawing.drawn
        return 0 if drawn else self._page.room

    def _done(self, key: str) -> None:
        if self._live:
            self._live.done(key)

    # The model

    def _start(self, event: Event) -> None:
        self._cwd, self._session = event.cwd, event.session_id or ""
        if event.model:
            line = fit(disarm(f"model {single_line(event.model)}"), self._style.width)
            self._page.line(self._style.paint(DIM, line))

    def _turn_start(self, _: Event) -> None:
        self._wait("model", "thinking")

    def _answers(self) -> None:
        """Note that the model is there."""
        self._done("model")
        self._done("download")
        self._fetching = False

    def _turn_end(self, _: Event) -> None:
        self._answers()
        self._page.end_line()
        self._prose.finish()

    def _notice(self, event: Event) -> None:
        if event.code != "model_download":
            self._diagnose(event)
            return
        self._fetching = True
        if self._style.moves:
            self._wait("download", disarm(single_line(event.text)))
        else:
            self._diagnose(event)

    def _retry(self, event: Event) -> None:
        self._diagnose(event)
        self._wait("model", "waiting")

    def _text(self, event: Event) -> None:
        self._done("download")
        self._fetching = False
        self._prose.feed(event.text)
        self._heard("writing")

    def _think(self, event: Event) -> None:
        self._reasoning.feed(event.text)
        self._heard("thinking")

    # Calls

    def _tool_start(self, event: Event) -> None:
        if event.turn == 0 and event.tool_name == "generate_object":
            return  # the run's own answer, which `end` shows
        label = self._call(event, argument(event.tool_input))
        output = Output(self._page, f"{label} │ ", uncut=self._uncut)
        self._outputs[event.tool_id] = output
        self._wait(event.tool_id, f"{label} {disarm(single_line(event.tool_name))}", output)
        if "command" in event.tool_input:
            self._commands.add(event.tool_id)
        if diff := self._diff(event):
            self._diffs[event.tool_id] = diff

    def _diff(self, event: Event) -> Diff | None:
        """Return what a call is about to change in a file."""
        name = event.tool_input.get("file_path")
        if not isinstance(name, str) or not event.tool_input.keys() & {"content", "old_string"}:
            return None
        from .diff import hidden, of_call

        if self._hide is None:
            return of_call(event.tool_input, None)
        diff = of_call(event.tool_input, os.path.join(self._cwd, name))
        return diff and hidden(diff, self._hide)

    def _tool_output(self, event: Event) -> None:
        if output := self._outputs.get(event.tool_id):
            output.feed(event.text)

    def _tool_end(self, event: Event) -> None:
        self._done(event.tool_id)
        output = self._outputs.pop(event.tool_id, None)
        if output is None:
            return
        diff = self._diffs.pop(event.tool_id, None)
        good = event.exit_code == 0
        parts = [duration(event.duration_ms)]
        if good and diff:
            parts.insert(0, str(diff))
            self._show_diff(event, diff)
        else:
            if output.empty:  # the tool does not stream
                output.feed(event.tool_output)
            self._omitted |= output.finish()
        if event.reason:
            parts.insert(0, {"timeout": "timed out"}.get(event.reason, event.reason))
        elif event.tool_id in self._commands:
            parts.insert(0, f"exit {event.exit_code}")
        elif not good:
            parts.insert(0, "failed")
        if event.output_bytes:
            parts.append(f"{event.output_bytes:,} bytes of output")
            self._omitted = True
        self._verdict(event, good, " · ".join(parts))

    def _show_diff(self, event: Event, diff: Diff) -> None:
        label = f"[{self._numbers[event.tool_id]}] │ "
        digits = len(str(max((row.number for row in diff.rows), default=0)))
        many = len(diff.rows)
        most = many if self._uncut or many <= DIFF_ROWS + 1 else DIFF_ROWS
        for row in diff.rows[:most]:
            number = f"{row.number or '':>{digits}} " if digits > 1 or row.number else ""
            line = f"{number}{row.sign} {disarm(single_line(row.text))}".rstrip()
            shown = fit(line, self._style.width - len(label))
            self._page.line(self._style.paint(DIM, label) + self._style.paint(row.face, shown))
        if many > most:
            self._omitted = True
            self._page.line(self._style.paint(DIM, f"{label}… {many - most} more lines"))

    def _denied(self, event: Event) -> None:
        label = self._call(event, argument(event.tool_input))
        self._verdict(event, False, f"denied: {event.reason}")
        if event.hint:
            self._page.line(f"{label}   allow it with: {disarm(single_line(event.hint))}")

    def _rejected(self, event: Event) -> None:
        self._call(event, single_line(event.raw_input))
        self._verdict(event, False, f"rejected: {event.error}")

    def _asked(self, event: Event) -> None:
        label = self._call(event, argument(event.tool_input))
        if self._live:
            self._live.pause(True)
        # On a terminal the question itself follows.
        if not self._style.terminal:
            mark, rule = self._style.paint(_YELLOW, "?"), disarm(single_line(event.rule))
            self._page.line(f"{label} {mark} waiting for an answer: {rule}")

    def _answered(self, event: Event) -> None:
        if self._live:
            self._live.pause(False)
        if event.answer != "no":  # a refusal has an event of its own
            self._verdict(event, True, f"allowed {event.answer} by {event.by}")

    def _call(self, event: Event, arguments: str) -> str:
        """Show the line that introduces a call, once, and return the call's label."""
        number = self._numbers.get(event.tool_id)
        if number is not None:
            return f"[{number}]"
        number = self._numbers[event.tool_id] = len(self._numbers) + 1
        label, name = f"[{number}]", single_line(event.tool_name)
        room = self._style.width - len(label) - 1
        shown = fit(disarm(f"{name}  {arguments}".rstrip()), room)
        bold = self._style.paint(_BOLD, shown[: len(name)])
        self._page.section("calls")
        self._page.line(f"{label} {bold}{shown[len(name) :]}")
        return label

    def _verdict(self, event: Event, good: bool, text: str) -> None:
        label = f"[{self._numbers.get(event.tool_id, '?')}]"
        self._page.section("calls")
        self._page.line(f"{label} {self._mark(good)} {disarm(single_line(text))}")

    def _mark(self, good: bool) -> str:
        return self._style.paint(_GREEN, "✓") if good else self._style.paint(_RED, "✗")

    # The run

    def _diagnose(self, event: Event) -> None:
        self._page.end_line()
        self._flush(live=False)  # keeps both streams in order on one terminal
        self._error(encode(diagnostics(event)))

    def _end(self, event: Event) -> None:
        if "object" in vars(event):
            self._page.section("object")
            shown = Disarmer().feed(neutralise(compact(event.object, indent=2)))
            self._page.line(shown)
        self._close(event, True, [])

    def _failed(self, event: Event) -> None:
        self._close(event, False, [f"{disarm(single_line(event.code))}, exit {event.exit_code}"])
        self._diagnose(event)
        if self._fetching and event.code == "cancelled":
            self._error(
                b"hint: the part that was downloaded is kept; the next run resumes the download\n"
            )

    def _close(self, event: Event, good: bool, parts: list[str]) -> None:
        if self._live:
            self._live.stop()
        parts += [count(event.turns, "turn"), count(event.tool_calls, "tool call")]
        if event.permission_denials:
            parts.append(f"{len(event.permission_denials)} denied")
        if usage := event.usage:
            parts.append(tokens(usage))
        elif event.total_tokens:
            parts.append(count(event.total_tokens, "token"))
        if event.cost_usd is not None:
            parts.append(dollars(event.cost_usd))
        parts.append(duration(event.duration_ms))
        self._page.section("close")
        self._page.line(f"{self._mark(good)} {self._style.paint(DIM, ' · '.join(parts))}")
        if self._omitted:
            way = f"a3s replay {self._session}" if self._session else "a3s run --record FILE"
            self._page.line(
                self._style.paint(DIM, f"all of the output: {disarm(single_line(way))}")
            )


def _is_partial(event: Event) -> bool:
    return event.type == "tool_output_delta" and event.tool_name == "generate_object"
