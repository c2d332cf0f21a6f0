"""`-o pretty`: a run for a person to watch.

The assistant's text appears as it streams. Each call has a number, and every
line about it begins with that number, so parallel calls stay readable:

    [1] bash  pytest -q
    [1] │ 3 passed in 0.12s
    [1] ✓ exit 0 · 0.6s

Nothing from a model or a tool can control the terminal or a CI system. No line
is wider than the terminal, except the assistant's text, which the terminal
wraps. Notices and errors go to stderr, worded as in `raw`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..events import Event
from .disarm import Disarmer, disarm
from .drawing import Drawing
from .page import DIM, Output, Prose, ReasoningBlock, TerminalPage
from .terminal import Style, encode, fit, neutralise, single_line
from .wording import argument, compact, count, diagnostics, duration

_BOLD, _RED, _GREEN, _YELLOW = "1", "31", "32", "33"


class Pretty:
    """A sink: the events of one network read become one write."""

    def __init__(
        self, write: Callable[[bytes], None], error: Callable[[bytes], None], style: Style
    ) -> None:
        self._write = write
        self._error = error
        self._style = style
        self._page = TerminalPage(style)
        self._prose = Prose(self._page)
        self._reasoning = ReasoningBlock(self._page)
        self._drawing = Drawing(write, style) if style.terminal else None
        self._numbers: dict[str, int] = {}
        self._outputs: dict[str, Output] = {}
        self._render: Mapping[str, Callable[[Event], None]] = {
            "start": self._start,
            "text_delta": self._text,
            "reasoning_delta": self._think,
            "tool_start": self._tool_start,
            "tool_output_delta": self._tool_output,
            "tool_end": self._tool_end,
            "permission_denied": self._denied,
            "tool_rejected": self._rejected,
            "permission_request": self._asked,
            "permission_answer": self._answered,
            "retry": self._diagnose,
            "notice": self._diagnose,
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
            self._flush()
            self._drawing.show(event.text)

    def _flush(self) -> None:
        if text := self._page.take():
            self._write(encode(text))

    # The model

    def _start(self, event: Event) -> None:
        if event.model:
            line = fit(disarm(f"model {single_line(event.model)}"), self._style.width)
            self._page.line(self._style.paint(DIM, line))

    def _text(self, event: Event) -> None:
        self._prose.feed(event.text)

    def _think(self, event: Event) -> None:
        self._reasoning.feed(event.text)

    # Calls

    def _tool_start(self, event: Event) -> None:
        if event.turn == 0:
            return  # the run's own answer, which `end` shows
        label = self._call(event, argument(event.tool_input))
        self._outputs[event.tool_id] = Output(self._page, f"{label} │ ")

    def _tool_output(self, event: Event) -> None:
        if output := self._outputs.get(event.tool_id):
            output.feed(event.text)

    def _tool_end(self, event: Event) -> None:
        if event.tool_id not in self._outputs:
            return
        output = self._outputs.pop(event.tool_id, None)
        if output:
            if output.empty:  # the tool does not stream
                output.feed(event.tool_output)
            output.finish()
        parts = [f"exit {event.exit_code}", duration(event.duration_ms)]
        if event.reason:
            parts.insert(0, {"timeout": "timed out"}.get(event.reason, event.reason))
        if event.output_bytes:
            parts.append(f"{event.output_bytes} bytes of output")
        self._verdict(event, event.exit_code == 0, " · ".join(parts))

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
        # On a terminal the question itself follows.
        if not self._style.terminal:
            mark, rule = self._style.paint(_YELLOW, "?"), disarm(single_line(event.rule))
            self._page.line(f"{label} {mark} waiting for an answer: {rule}")

    def _answered(self, event: Event) -> None:
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
        self._flush()  # keeps both streams in order on one terminal
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

    def _close(self, event: Event, good: bool, parts: list[str]) -> None:
        parts += [count(event.turns, "turn"), count(event.tool_calls, "tool call")]
        if event.permission_denials:
            parts.append(f"{len(event.permission_denials)} denied")
        if usage := event.usage:
            parts.append(f"{usage.input_tokens} tokens in, {usage.output_tokens} out")
        elif event.total_tokens:
            parts.append(count(event.total_tokens, "token"))
        if event.cost_usd is not None:
            parts.append(f"${event.cost_usd:.4f}")
        parts.append(duration(event.duration_ms))
        self._page.section("close")
        self._page.line(f"{self._mark(good)} {self._style.paint(DIM, ' · '.join(parts))}")


def _is_partial(event: Event) -> bool:
    return event.type == "tool_output_delta" and event.tool_name == "generate_object"
