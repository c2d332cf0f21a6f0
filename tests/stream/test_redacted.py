"""Events without secrets: however a model's streams are cut and mixed, each adds up to its text."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.events import (
    Denial,
    End,
    Error,
    Event,
    Notice,
    PermissionDenied,
    ReasoningDelta,
    Retry,
    TextDelta,
    ToolEnd,
    ToolInputDelta,
    ToolOutputDelta,
    ToolRejected,
    TurnEnd,
)
from a3s_cli.secrets.redaction import Redactor
from a3s_cli.stream.emitter import Emitter

KEY = "aabbaabb-key"
OTHER = "bb-keyaabb"
SECRETS = {"K": KEY, "O": OTHER}
TURN_END = TurnEnd(turn=1, total_tokens=0, stop_reason="end_turn")
SHAPED = "sk-" + "x1Y2z3w4" * 4


def emitted(*events: Event | list[str], secrets: dict[str, str] = SECRETS) -> list[dict[str, Any]]:
    """The lines of these events; a list is a batch of the answer's text."""
    emitter, lines, seen = Emitter(), list[bytes](), list[Event]()
    emitter.redact(Redactor(secrets))
    emitter.add_line_sink(lines.append)
    emitter.add_event_sink(seen.extend)
    for event in events:
        if isinstance(event, list):
            emitter.emit_texts(event)
        else:
            emitter.emit(event)
    found = [orjson.loads(line) for line in b"".join(lines).splitlines()]
    assert [event["seq"] for event in found] == list(range(len(found)))
    assert [event.to_dict() for event in seen] == found
    return found


def only(event: Event, secrets: dict[str, str] = SECRETS) -> dict[str, Any]:
    (line,) = emitted(event, secrets=secrets)
    return line


PIECE = st.text("ab-key.", min_size=1, max_size=7) | st.sampled_from([KEY, OTHER, KEY[:6], KEY[6:]])
DELTA = st.one_of(
    st.lists(PIECE, min_size=1, max_size=4),
    PIECE.map(lambda text: TextDelta(text=text)),
    PIECE.map(lambda text: ReasoningDelta(text=text)),
    st.tuples(st.sampled_from("12"), PIECE).map(
        lambda pair: ToolInputDelta(tool_id=pair[0], tool_name="bash", text=pair[1])
    ),
    st.builds(Notice, code=st.just("x"), text=st.just("between")),
)


def said(event: Event | list[str]) -> list[tuple[tuple[str, str | None], str]]:
    if isinstance(event, list):
        return [(("text_delta", None), text) for text in event]
    return [((event.type, event.tool_id), event.text)]


@given(st.lists(DELTA, max_size=12))
def test_each_stream_adds_up_to_its_text(events: list[Event | list[str]]) -> None:
    given_, shown = defaultdict[Any, str](str), defaultdict[Any, str](str)
    for event in events:
        for key, text in said(event):
            given_[key] += text
    lines = emitted(*events, TURN_END)
    assert lines[-1]["type"] == "turn_end"
    for line in lines[:-1]:
        assert line["text"]
        assert ("[redacted:" in line["text"]) <= ("redacted" in line)
        shown[(line["type"], line.get("toolId"))] += line["text"]
    for key, text in given_.items():
        assert shown[key] == (text if key[0] == "notice" else Redactor(SECRETS).whole(text))


@pytest.mark.parametrize("plain", [True, False])
def test_the_rest_comes_before_what_ends_the_answer(plain: bool) -> None:
    """The hot path and the other one hold back the same."""
    text: Event | list[str] = ["so aab"] if plain else TextDelta(text="so aab")
    error = Error(
        error="x", code="network", retryable=True, exit_code=75, turns=0, tool_calls=0,
        total_tokens=0, duration_ms=1,
    )  # fmt: skip
    lines = emitted(text, ReasoningDelta(text="aabb"), error)
    told = [(line["type"], line.get("text")) for line in lines]
    assert told == [
        ("text_delta", "so "),
        ("text_delta", "aab"),
        ("reasoning_delta", "aabb"),
        ("error", None),
    ]


def test_a_retry_drops_what_is_void() -> None:
    retry = Retry(attempt=2, max_attempts=5, delay_ms=1, code="network", reason="x")
    thought, call = (
        ReasoningDelta(text="aabb"),
        ToolInputDelta(tool_id="1", tool_name="t", text="a"),
    )
    lines = emitted(thought, call, retry, ReasoningDelta(text="aabb-key."), TURN_END)
    assert [line.get("text") for line in lines] == [None, "aabb-key.", None]


def test_every_text_of_an_event_is_hidden_and_it_says_so() -> None:
    denied = PermissionDenied(
        tool_name="bash", tool_id="1", tool_input={KEY: [f"x{KEY}", 1]}, decision="deny",
        rule=f"bash({KEY})", reason=f"{KEY} is denied", hint=f"--allow 'bash({KEY})'",
    )  # fmt: skip
    assert {
        name: one for name, one in only(denied).items() if name not in ("seq", "ts", "type")
    } == {
        "toolName": "bash",
        "toolId": "1",
        "toolInput": {"[redacted:K]": ["x[redacted:K]", 1]},
        "decision": "deny",
        "rule": "bash([redacted:K])",
        "reason": "[redacted:K] is denied",
        "hint": "--allow 'bash([redacted:K])'",
        "redacted": True,
    }
    end = End(
        text=KEY, total_tokens=0, turns=1, tool_calls=0, duration_ms=1, object={"a": KEY},
        permission_denials=(Denial("1", f"t-{KEY}", KEY),),
    )  # fmt: skip
    line = only(end)
    assert (line["text"], line["object"], line["redacted"]) == (
        "[redacted:K]",
        {"a": "[redacted:K]"},
        True,
    )
    assert line["permissionDenials"] == [
        {"toolId": "1", "toolName": "t-[redacted:K]", "rule": "[redacted:K]"}
    ]
    assert "redacted" not in only(Notice(code="x", text="nothing"))


def test_only_a_sentence_loses_the_beginning_of_a_secret() -> None:
    """What must add up does not: there a beginning was all that was said."""
    secrets = {"K": SHAPED}
    error = ToolRejected(
        tool_name="t", tool_id="1", raw_input=SHAPED[:20], reason="unknown_tool", error=SHAPED[:20]
    )
    line = only(error, secrets)
    assert (line["rawInput"], line["error"]) == (SHAPED[:20], "[redacted:K]")
    deltas = emitted([SHAPED[:20]], TURN_END, secrets=secrets)
    end = End(text=SHAPED[:20], total_tokens=0, turns=1, tool_calls=0, duration_ms=1)
    assert deltas[0]["text"] == only(end, secrets)["text"] == SHAPED[:20]


def test_a_secret_that_is_a_word_of_ours_breaks_no_event() -> None:
    words = {"A": "end_turn", "B": "provider", "C": "text_delta"}
    line = only(TURN_END, words)
    assert (line["type"], line["stopReason"]) == ("turn_end", "end_turn")


def test_keys_are_masked_in_what_went_wrong_and_nowhere_else() -> None:
    """Without any secret to hide as well."""
    for secrets in ({}, SECRETS):
        retry = Retry(attempt=2, max_attempts=5, delay_ms=1, code="x", reason=f"bad {SHAPED}")
        assert only(retry, secrets)["reason"] == "bad sk-***"
        assert only(retry, secrets)["redacted"] is True
        rejected = ToolRejected(
            tool_name="t", tool_id="1", raw_input=SHAPED, reason="unknown_tool", error=SHAPED
        )
        line = only(rejected, secrets)
        assert (line["rawInput"], line["error"]) == (SHAPED, "sk-***")
        for exact in (
            TextDelta(text=SHAPED),
            ToolOutputDelta(tool_name="bash", tool_id="1", text=SHAPED),
            ToolEnd(tool_name="bash", tool_id="1", tool_output=SHAPED, exit_code=1, duration_ms=1),
        ):
            assert SHAPED in only(exact, secrets).values()
