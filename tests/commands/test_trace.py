"""`a3s trace`: a recording as spans, read by the official messages of OpenTelemetry."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from ..support.a3s import Bench
from ..support.replies import Reply, a_call, bash, calls, cut, error, soon, stall, text


def spans(a3s: Bench, recording: bytes | str) -> list[Any]:
    """The spans of a recording, once the official parser has taken every field of them."""
    if isinstance(recording, bytes):
        (a3s.work / "run.ndjson").write_bytes(recording)
        recording = "run.ndjson"
    result = a3s("trace", recording)
    assert (result.status, result.stderr) == (0, b"")
    document = json.loads(result.stdout)
    [resource] = document["resourceSpans"]
    assert {"key": "service.name", "value": {"stringValue": "a3s"}} in resource["resource"][
        "attributes"
    ]
    # OTLP/JSON has hexadecimal ids where the protobufs' own JSON has base64.
    for span in resource["scopeSpans"][0]["spans"]:
        for one in (span, *span.get("links", ())):
            for name in ("traceId", "spanId", "parentSpanId"):
                if name in one:
                    raw = bytes.fromhex(one[name])
                    assert len(raw) == (16 if name == "traceId" else 8)
                    one[name] = base64.b64encode(raw).decode()
    parsed = ParseDict(document, TracesData(), ignore_unknown_fields=False)
    return list(parsed.resource_spans[0].scope_spans[0].spans)


def attributes(span: Any) -> dict[str, Any]:
    def value(any_value: Any) -> Any:
        kind = any_value.WhichOneof("value")
        found = getattr(any_value, kind)
        return [value(one) for one in found.values] if kind == "array_value" else found

    return {one.key: value(one.value) for one in span.attributes}


def recorded(a3s: Bench, script: list[Reply], *flags: str, **options: Any) -> bytes:
    return a3s("run", "hi", *flags, script=script, **options).stdout


def test_a_run_its_responses_and_its_calls(a3s: Bench) -> None:
    several = calls(
        a_call("bash", {"command": "exit 3"}, "c1"), a_call("bash", {"command": "rm x"}, "c2")
    )
    stream = recorded(a3s, [soon(503), several, text("done")], "--allow", "bash(exit *)")
    events = [json.loads(line) for line in stream.splitlines()]
    root, first, tool, second = spans(a3s, stream)
    assert [span.name for span in (root, first, tool, second)] == [
        "invoke_agent a3s", "chat test-model", "execute_tool bash", "chat test-model",
    ]  # fmt: skip
    assert len({span.trace_id for span in (root, first, tool, second)}) == 1
    assert len({span.span_id for span in (root, first, tool, second)}) == 4
    assert {span.parent_span_id for span in (first, tool, second)} == {root.span_id}
    assert root.parent_span_id == b"" and (root.kind, first.kind) == (
        Span.SPAN_KIND_INTERNAL,
        Span.SPAN_KIND_CLIENT,
    )
    model = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "test-model"}
    usage = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
    assert attributes(first) == {
        "gen_ai.operation.name": "chat", **model, **usage,
        "gen_ai.response.finish_reasons": ["tool_call"], "a3s.turn": 1,
    }  # fmt: skip
    assert attributes(second)["gen_ai.response.finish_reasons"] == ["stop"]
    assert attributes(tool) == {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bash",
        "gen_ai.tool.call.id": "c1", "gen_ai.tool.type": "function", "a3s.turn": 1,
        "a3s.rule": "bash(exit *)", "a3s.exit_code": 3, "error.type": "tool_error",
    }  # fmt: skip
    told = attributes(root)
    assert told["gen_ai.operation.name"] == "invoke_agent"
    assert (told["gen_ai.usage.input_tokens"], told["a3s.turns"]) == (20, 2)
    assert told["gen_ai.conversation.id"] == events[0]["sessionId"]
    assert [event.name for event in first.events] == ["retry"]
    assert [event.name for event in root.events] == ["permission_denied"]
    starts = {event["type"]: event["ts"] for event in reversed(events)}
    assert root.start_time_unix_nano == events[0]["ts"] * 1_000_000
    assert root.end_time_unix_nano == events[-1]["ts"] * 1_000_000
    assert tool.start_time_unix_nano == starts["tool_start"] * 1_000_000
    assert spans(a3s, stream) == [root, first, tool, second]  # the same ids each time


def test_failures(a3s: Bench) -> None:
    root, chat = spans(a3s, recorded(a3s, [error(400)]))
    assert attributes(root)["error.type"] == attributes(chat)["error.type"] == "provider_error"
    assert root.status.code == 2 and "400" in root.status.message
    root, chat = spans(a3s, recorded(a3s, [stall("Hel")], "--timeout", "300ms"))
    assert attributes(root)["error.type"] == "timeout"
    root, chat = spans(a3s, recorded(a3s, [cut("Hel")]))
    assert attributes(chat)["error.type"] == "truncated_stream"


def test_a_session_has_a_trace_for_each_run(a3s: Bench) -> None:
    recorded(a3s, [text("one")])
    recorded(a3s, [bash("true"), text("two")], "-c", "--allow", "bash")
    [session] = (a3s.home / ".local/state/a3s/sessions").glob("*.ndjson")
    found = spans(a3s, session.stem)
    assert [span.name.split()[0] for span in found] == [
        "invoke_agent", "chat", "invoke_agent", "chat", "execute_tool", "chat",
    ]  # fmt: skip
    assert len({span.trace_id for span in found}) == 2
    roots = [span for span in found if span.name == "invoke_agent a3s"]
    assert len({attributes(root)["gen_ai.conversation.id"] for root in roots}) == 1


def test_a_run_inside_a_run_links_to_it(a3s: Bench) -> None:
    [outer, *_] = spans(a3s, recorded(a3s, [text("yo")]))
    env = {"A3S_PARENT_RUN_ID": attributes(outer)["a3s.run.id"]}
    [inner, *_] = spans(a3s, recorded(a3s, [text("yo")], env=env))
    [link] = inner.links
    assert (link.trace_id, link.span_id) == (outer.trace_id, outer.span_id)
    assert inner.trace_id != outer.trace_id and not outer.links


def test_who_answered_instead(a3s: Bench) -> None:
    flags = ("--max-retries", "0", "--fallback-model", "openai/other")
    _, chat = spans(a3s, recorded(a3s, [error(503), text("yo")], *flags))
    assert chat.name == "chat other"
    assert attributes(chat)["gen_ai.request.model"] == "other"


@pytest.mark.parametrize("keep", [0, 1, 5])
def test_half_a_recording_is_no_trace(a3s: Bench, keep: int) -> None:
    lines = recorded(a3s, [bash("true"), text("done")], "--allow", "bash").splitlines(True)
    path = a3s.work / "run.ndjson"
    path.write_bytes(b"".join(lines[:keep]) + lines[keep][:-9])
    result = a3s("trace", str(path))
    assert (result.status, result.stdout) == (65, b"")
    assert f"line {keep + 1}" in result.stderr.decode()


def test_what_is_said_stays_out(a3s: Bench) -> None:
    stream = recorded(a3s, [bash("echo private-output"), text("private-answer")], "--allow", "bash")
    (a3s.work / "run.ndjson").write_bytes(stream)
    assert b"private" in stream and b"private" not in a3s("trace", "run.ndjson").stdout


def test_no_such_recording(a3s: Bench, tmp_path: Path) -> None:
    result = a3s("trace", str(tmp_path / "none.ndjson"))
    assert (result.status, result.stdout) == (2, b"")
