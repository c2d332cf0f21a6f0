"""A recorded run as OpenTelemetry spans, by the GenAI semantic conventions; pure.

    invoke_agent a3s             a run
      chat gpt-x                 a response of the main loop, from its request to its end
      execute_tool bash          a call

The result is OTLP/JSON. Each run is a trace of its own, with ids that follow from its
`runId`: the same recording gives the same spans, and a run inside a run links to the
span of the one that started it. Prompts, answers, inputs and outputs stay out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..events import Event
from ..fingerprint import fingerprint
from ..messages import Usage
from ..values import State, field
from ..version import __version__

_INTERNAL, _CLIENT = 1, 3
_FAILED = 2
#: What the conventions call our providers, where that is another name.
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex": "gcp.vertex_ai",
    "xai": "x_ai",
}
_REASONS = {
    "end_turn": "stop",
    "tool_use": "tool_call",
    "max_tokens": "length",
    "refusal": "content_filter",
}


def traces(events: Iterable[Event]) -> dict[str, Any]:
    """Return the OTLP/JSON object of the runs of a stream."""
    spans: list[dict[str, Any]] = []
    run: _Run | None = None
    for event in events:
        if event.type == "start":
            spans += run.spans() if run else ()
            run = _Run(event)
        elif run:
            run.take(event)
    spans += run.spans() if run else ()
    service = {"service.name": "a3s", "service.version": __version__}
    scope = {"name": "a3s", "version": __version__}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(service)},
                "scopeSpans": [{"scope": scope, "spans": spans}],
            }
        ]
    }


class _Span(State):
    """A span while it is open."""

    name: str
    kind: int
    key: str
    started: int
    attributes: dict[str, Any]
    ended: int | None = None
    #: What went wrong: a code, and a sentence.
    failure: tuple[str, str] | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, event: Event, **attributes: Any) -> None:
        """Add an event of ours to the span."""
        told = {"timeUnixNano": _nanoseconds(event.ts), "name": event.type}
        self.events.append({**told, "attributes": _attributes(attributes)})


class _Run:
    """The spans of one run."""

    def __init__(self, start: Any) -> None:
        self._id = start.run_id
        self._parent = start.parent_run_id
        self._last = start.ts
        self._model = start.model or ""
        self._chat: _Span | None = None
        self._tools: dict[str, _Span] = {}
        self._root = _Span(
            "invoke_agent a3s",
            _INTERNAL,
            "",
            start.ts,
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": "a3s",
                "gen_ai.agent.version": start.version,
                "gen_ai.conversation.id": start.session_id,
                **self._of_model(self._model),
                "a3s.run.id": start.run_id,
                "a3s.parent_run.id": start.parent_run_id,
                "a3s.policy.sha256": start.policy_sha256,
                "a3s.sandbox": start.sandbox,
            },
        )
        self._all = [self._root]

    def take(self, event: Any) -> None:
        """Take the next event of the run."""
        self._last = event.ts
        kind = event.type
        if kind == "turn_start":
            self._begin_chat(event)
        elif kind == "turn_end" and self._chat:
            self._end_chat(event)
        elif kind == "tool_start":
            self._begin_tool(event)
        elif kind == "tool_end" and event.tool_id in self._tools:
            self._end_tool(event)
        elif kind == "retry":
            span = self._tools.get(event.tool_id or "") or self._chat or self._root
            span.tell(event, **{"a3s.attempt": event.attempt, "error.type": event.code})
        elif kind in ("permission_denied", "tool_rejected"):
            called = {"gen_ai.tool.name": event.tool_name, "gen_ai.tool.call.id": event.tool_id}
            rule = getattr(event, "rule", None) or event.reason
            self._root.tell(event, **called, **{"a3s.rule": rule})
        elif kind in ("end", "error"):
            self._end(event)

    def spans(self) -> Iterator[dict[str, Any]]:
        """Yield the spans as objects of OTLP/JSON; what has no end was interrupted."""
        for span in self._all:
            if span.ended is None:
                span.ended = self._last
                span.failure = span.failure or ("interrupted", "the run was interrupted")
            yield self._otlp(span)

    def _begin_chat(self, event: Any) -> None:
        model = self._model
        attributes = {"gen_ai.operation.name": "chat", **self._of_model(model)}
        name = f"chat {attributes.get('gen_ai.request.model', '')}".rstrip()
        self._chat = _Span(name, _CLIENT, f"turn {event.turn}", event.ts, attributes)
        self._chat.attributes["a3s.turn"] = event.turn
        self._all.append(self._chat)

    def _end_chat(self, event: Any) -> None:
        chat = self._chat
        assert chat is not None
        if event.model:  # another model has answered
            chat.attributes |= self._of_model(event.model)
            chat.name = f"chat {chat.attributes['gen_ai.request.model']}"
        reason = _REASONS.get(event.stop_reason, event.stop_reason)
        chat.attributes["gen_ai.response.finish_reasons"] = [reason]
        chat.attributes |= _usage(event.usage)
        chat.ended = event.ts
        self._chat = None

    def _begin_tool(self, event: Any) -> None:
        span = _Span(
            f"execute_tool {event.tool_name}",
            _INTERNAL,
            f"tool {event.tool_id}",
            event.ts,
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": event.tool_name,
                "gen_ai.tool.call.id": event.tool_id,
                "gen_ai.tool.type": "function",
                "a3s.turn": event.turn,
                "a3s.rule": event.rule,
            },
        )
        self._tools[event.tool_id] = span
        self._all.append(span)

    def _end_tool(self, event: Any) -> None:
        span = self._tools.pop(event.tool_id)
        span.ended = event.ts
        span.attributes["a3s.exit_code"] = event.exit_code
        if event.exit_code:
            ended = event.reason or "tool_error"
            span.failure = (ended, f"exit status {event.exit_code}")

    def _end(self, event: Any) -> None:
        root = self._root
        root.ended = event.ts
        root.attributes |= {
            "a3s.turns": event.turns,
            "a3s.tool_calls": event.tool_calls,
            "a3s.exit_code": int(event.exit_code),
            **_usage(getattr(event, "usage", None)),
            "a3s.cost_usd": getattr(event, "cost_usd", None),
        }
        if event.type == "error":
            root.failure = (event.code, event.error)
            if self._chat:
                self._chat.ended, self._chat.failure = event.ts, root.failure

    def _of_model(self, name: str) -> dict[str, Any]:
        provider, slash, model = name.partition("/")
        if not slash:
            return {}
        known = _PROVIDERS.get(provider, provider)
        return {"gen_ai.provider.name": known, "gen_ai.request.model": model}

    def _otlp(self, span: _Span) -> dict[str, Any]:
        attributes = dict(span.attributes)
        found: dict[str, Any] = {
            **_ids(self._id, span.key),
            "name": span.name,
            "kind": span.kind,
            "startTimeUnixNano": _nanoseconds(span.started),
            "endTimeUnixNano": _nanoseconds(span.ended or span.started),
        }
        if span is not self._root:
            found["parentSpanId"] = _ids(self._id, "")["spanId"]
        elif self._parent:
            found["links"] = [_ids(self._parent, "")]
        if span.failure:
            attributes["error.type"], message = span.failure
            found["status"] = {"code": _FAILED, "message": message}
        if span.events:
            found["events"] = span.events
        return {**found, "attributes": _attributes(attributes)}


def _ids(run: str, key: str) -> dict[str, str]:
    """Return the ids of a span: the trace is its run's."""
    trace = fingerprint(f"run {run}".encode())[:32]
    return {"traceId": trace, "spanId": fingerprint(f"{key}\0{run}".encode())[:16]}


def _nanoseconds(ts: int) -> str:
    return str(ts * 1_000_000)


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    return {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens or None,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens or None,
    }


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return attributes as OTLP/JSON; what is None is absent."""
    return [
        {"key": name, "value": _value(value)} for name, value in values.items() if value is not None
    ]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}
