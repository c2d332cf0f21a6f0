"""The events of a run as the updates that an editor draws; no I/O but a timer's.

Text and thoughts are deltas there as here. A call's content is replaced by each
update, so its live output is a tail of bounded length, ten times a second at most:
no command that prints in bulk makes an editor draw more than that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ..events import Event
from .calls import ReadText, diff, kind, locations, said, title

Update = dict[str, Any]
#: Characters of live output that an editor is shown.
TAIL = 8 * 1024
#: Seconds between two updates of one call's live output.
PACE = 0.1


class _Call:
    """One call that the editor knows of."""

    def __init__(self, content: list[Any]) -> None:
        #: What stays above the output: the diff.
        self.content = content
        self.tail = ""
        self.shown_at = 0.0
        self.waiting = False


class Updates:
    """The updates of one run. `send` takes each; `later` calls a function after seconds."""

    def __init__(
        self,
        send: Callable[[Update], None],
        read_text: ReadText,
        later: Callable[[float, Callable[[], None]], object] | None = None,
        window: int | None = None,
    ) -> None:
        self._send = send
        self._read_text = read_text
        self._later = later
        self._window = window
        self._run = ""
        self._turn = 0
        self._calls: dict[str, _Call] = {}
        self._paths: dict[str, str] = {}

    def accept(self, events: list[Event]) -> None:
        """Take the events of one batch; neighbouring pieces of text are one update."""
        texts: list[str] = []
        spoken = ""
        for event in [*events, None]:
            kind_of = event.type if event is not None else ""
            if texts and kind_of != spoken:
                self._chunk(spoken, "".join(texts))
                texts = []
            if event is None:
                break
            if kind_of in ("text_delta", "reasoning_delta"):
                spoken = kind_of
                texts.append(event.text)
            elif handler := _HANDLERS.get(kind_of):
                handler(self, event)

    def proposal(self, tool_id: str, name: str, path: str | None, arguments: Any) -> Update:
        """Return a call that is asked about, with the change that it would make."""
        if path is not None:
            self._paths[tool_id] = path
        return self._described(tool_id, name, arguments)

    def _chunk(self, spoken: str, text: str) -> None:
        what = "agent_message_chunk" if spoken == "text_delta" else "agent_thought_chunk"
        content = {"type": "text", "text": text}
        name = f"{self._run}-{self._turn}"
        self._send({"sessionUpdate": what, "content": content, "messageId": name})

    def _described(self, tool_id: str, name: str, arguments: Mapping[str, Any]) -> Update:
        path = self._paths.get(tool_id)
        old = self._read_text(path) if path is not None and _changes(arguments) else None
        content = diff(path, arguments, old)
        self._calls[tool_id] = _Call(content)
        return {
            "toolCallId": tool_id,
            "title": title(name, arguments),
            "kind": kind(name, arguments),
            "rawInput": arguments,
            "locations": locations(path, arguments, old),
            "content": content,
        }

    def _started(self, event: Event) -> None:
        self._run, self._turn = event.run_id, 0

    def _turned(self, event: Event) -> None:
        self._turn = event.turn

    def _asked(self, event: Event) -> None:
        if event.path is not None:
            self._paths[event.tool_id] = event.path
        told = self._described(event.tool_id, event.tool_name, event.tool_input)
        self._send({"sessionUpdate": "tool_call", **told, "status": "pending"})

    def _began(self, event: Event) -> None:
        if event.tool_id in self._calls:
            self._update(event.tool_id, status="in_progress")
            return
        path = event.tool_input.get("file_path")
        if isinstance(path, str) and path.startswith("/"):
            self._paths[event.tool_id] = path
        told = self._described(event.tool_id, event.tool_name, event.tool_input)
        self._send({"sessionUpdate": "tool_call", **told, "status": "in_progress"})

    def _printed(self, event: Event) -> None:
        call = self._calls.get(event.tool_id)
        if call is None or event.tool_name == "generate_object":
            return
        call.tail = (call.tail + event.text)[-TAIL:]
        wait = call.shown_at + PACE - time.monotonic()
        if wait <= 0:
            self._show(event.tool_id)
        elif self._later is not None and not call.waiting:
            call.waiting = True
            self._later(wait, lambda: self._show(event.tool_id))

    def _show(self, tool_id: str) -> None:
        call = self._calls.get(tool_id)
        if call is None:  # It has ended meanwhile, and its whole output was shown.
            return
        call.waiting, call.shown_at = False, time.monotonic()
        self._update(tool_id, content=[*call.content, said(call.tail)])

    def _ended(self, event: Event) -> None:
        call = self._calls.pop(event.tool_id, None)
        above = call.content if call is not None else []
        failed = event.exit_code != 0
        # A diff says it all, unless it was not applied.
        below = [] if above and not failed else [said(event.tool_output)]
        raw: dict[str, Any] = {"output": event.tool_output, "exitCode": event.exit_code}
        if event.reason:
            raw["reason"] = event.reason
        paths = [event.path] if event.path else event.changed or []
        places = {"locations": [{"path": path} for path in paths]} if paths and not above else {}
        self._update(
            event.tool_id,
            status="failed" if failed else "completed",
            content=[*above, *below],
            rawOutput=raw,
            **places,
        )

    def _refused(self, event: Event) -> None:
        hint = f"\n{event.hint}" if event.hint else ""
        self._failed(event, event.tool_input, f"Denied: {event.reason}{hint}")

    def _rejected(self, event: Event) -> None:
        self._failed(event, event.raw_input, event.error)

    def _failed(self, event: Event, arguments: Any, why: str) -> None:
        known = self._calls.pop(event.tool_id, None)
        if known is not None:
            self._update(event.tool_id, status="failed", content=[said(why)])
            return
        given = arguments if isinstance(arguments, dict) else {}
        told = {"toolCallId": event.tool_id, "title": title(event.tool_name, given)}
        more = {"kind": kind(event.tool_name, given), "rawInput": arguments, "status": "failed"}
        self._send({"sessionUpdate": "tool_call", **told, **more, "content": [said(why)]})

    def _counted(self, event: Event) -> None:
        if self._window is not None and event.total_tokens:
            used = min(event.total_tokens, self._window)
            self._send({"sessionUpdate": "usage_update", "used": used, "size": self._window})

    def _update(self, tool_id: str, **changes: Any) -> None:
        self._send({"sessionUpdate": "tool_call_update", "toolCallId": tool_id, **changes})


def _changes(arguments: Mapping[str, Any]) -> bool:
    return "content" in arguments or "new_string" in arguments


_HANDLERS: dict[str, Callable[[Updates, Event], None]] = {
    "start": Updates._started,
    "turn_start": Updates._turned,
    "turn_end": Updates._counted,
    "permission_request": Updates._asked,
    "tool_start": Updates._began,
    "tool_output_delta": Updates._printed,
    "tool_end": Updates._ended,
    "permission_denied": Updates._refused,
    "tool_rejected": Updates._rejected,
}
