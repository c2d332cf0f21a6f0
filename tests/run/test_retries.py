"""Retries: only what may be sent again is, when the provider says, and every one is told.

The tables of answers are played inside this process: what an answer means does
not depend on whose process it is.
"""

from __future__ import annotations

import email.utils
import json
import time
from pathlib import Path
from typing import Any

import pytest

from ..support import inside
from ..support.a3s import Bench
from ..support.replies import Reply, Wire, cut, error, raw, reasoning, soon, text

SECRET = "sk-bench-0123456789abcdef"
ONCE = ("--max-retries", "1")


def test_a_retry_is_told(a3s: Bench) -> None:
    result = a3s("run", "go", script=[soon(503), soon(429), text("yo")])
    first, second = result.of("retry")
    assert (first["attempt"], second["attempt"]) == (2, 3)
    assert first["maxAttempts"] == second["maxAttempts"] == 5
    assert (first["code"], first["status"], first["turn"]) == ("overloaded", 503, 1)
    assert (second["code"], second["status"]) == ("rate_limited", 429)
    assert result.requests[1].body == result.requests[0].body
    assert result.text == "yo"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_a_status_that_is_tried_again(tmp_path: Path, status: int) -> None:
    result = inside.play(tmp_path, [soon(status), text("yo")])
    assert (result.text, result.one("retry")["status"]) == ("yo", status)


@pytest.mark.parametrize(
    ("status", "code", "exit_status"),
    [
        (400, "provider_error", 1),
        (401, "auth", 77),
        (403, "auth", 77),
        (404, "provider_error", 1),
        (422, "provider_error", 1),
    ],
)
@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_a_status_that_is_final(
    tmp_path: Path, status: int, code: str, exit_status: int, wire: Wire
) -> None:
    result = inside.play(tmp_path, [error(status)], wire)
    last = result.last
    assert (last["code"], result.status, last["retryable"]) == (code, exit_status, False)
    assert last["status"] == status and last["provider"] == wire.partition("-")[0]
    assert len(result.requests) == 1 and "retry" not in result.types
    assert code != "auth" or last["hint"]


def test_so_many_and_no_more(a3s: Bench) -> None:
    result = a3s("run", "--max-retries", "3", "go", script=[soon(500)] * 4)
    assert (result.last["code"], result.status) == ("overloaded", 75)
    assert len(result.requests) == 4 and len(result.of("retry")) == 3


def test_none_at_all(a3s: Bench) -> None:
    result = a3s("run", "--max-retries", "0", "go", script=[soon(500)])
    assert result.status == 75 and len(result.requests) == 1


AFTER = {
    "milliseconds": ({"retry-after-ms": "300"}, 300, 300),
    "seconds": ({"retry-after": "1"}, 1000, 1000),
    "a fraction": ({"retry-after": "0.4"}, 400, 400),
    "both": ({"retry-after-ms": "200", "retry-after": "50"}, 200, 200),
    "nothing": ({}, 300, 1000),
    "garbage": ({"retry-after": "soon"}, 300, 1000),
    "negative": ({"retry-after": "-5"}, 300, 1000),
    "infinite": ({"retry-after": "inf"}, 300, 1000),
    "not a number": ({"retry-after": "nan"}, 300, 1000),
}


@pytest.mark.parametrize("name", AFTER)
def test_the_provider_says_when(tmp_path: Path, name: str) -> None:
    headers, least, most = AFTER[name]
    result = inside.play(tmp_path, [error(429, headers=headers), text("yo")])
    delay = result.one("retry")["delayMs"]
    assert least * 0.9 <= delay <= most * 1.1
    waited = result.requests[1].at - result.requests[0].at
    assert waited >= delay / 1000 * 0.9


def test_the_provider_says_when_by_the_clock(tmp_path: Path) -> None:
    date = email.utils.formatdate(time.time() + 3, usegmt=True)
    script = [error(503, headers={"retry-after": date}), text("yo")]
    result = inside.play(tmp_path, script)
    assert 500 <= result.one("retry")["delayMs"] <= 3500


def test_too_long_is_not_waited_for(a3s: Bench) -> None:
    result = a3s("run", "go", script=[error(429, headers={"retry-after": "3600"})])
    assert (result.last["code"], result.status) == ("rate_limited", 75)
    assert result.last["retryAfterMs"] == 3_600_000
    assert "retry" not in result.types


@pytest.mark.parametrize(("status", "should"), [(500, "false"), (429, "false")])
def test_the_provider_says_no(tmp_path: Path, status: int, should: str) -> None:
    result = inside.play(tmp_path, [error(status, headers={"x-should-retry": should})])
    assert len(result.requests) == 1 and result.status != 0


def test_the_provider_says_yes(a3s: Bench) -> None:
    headers = {"x-should-retry": "true", "retry-after-ms": "1"}
    assert a3s("run", "go", script=[error(400, headers=headers), text("yo")]).text == "yo"


BODIES: dict[str, tuple[int, Any, str]] = {
    "quota": (429, {"error": {"code": "insufficient_quota", "message": "pay"}}, "provider_error"),
    "window": (
        400,
        {"error": {"code": "context_length_exceeded", "message": "too long"}},
        "context_overflow",
    ),
    "no JSON": (404, b"<html>not here</html>", "provider_error"),
    "no UTF-8": (400, b"\xff\xfe\x00", "provider_error"),
    "a list": (400, [1, 2], "provider_error"),
    "empty": (401, b"", "auth"),
    "null": (400, {"error": None}, "provider_error"),
}


@pytest.mark.parametrize("name", BODIES)
def test_what_the_body_says(tmp_path: Path, name: str) -> None:
    status, body, code = BODIES[name]
    result = inside.play(tmp_path, [error(status, body)])
    assert result.last["code"] == code and len(result.requests) == 1


def _stream(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


NO_ANSWERS = {
    "html": raw(b"<html>hello</html>", headers={"content-type": "text/html"}),
    "json": raw(b'{"choices": [{"message": {"content": "hi"}}]}'),
    "plain": raw(b"hello", headers={"content-type": "text/plain"}),
    "nothing": Reply(status=200, headers={"content-type": "text/event-stream"}, body=b""),
    "only the end": raw(b"data: [DONE]\n\n"),
    "no JSON": raw(b"data: {oops\n\n"),
    "a list": raw(b"data: [1]\n\ndata: [DONE]\n\n"),
    "comments": raw(b": one\n\n: two\n\n"),
    "204": Reply(status=204, body=b""),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_a_200_that_is_no_answer(tmp_path: Path, name: str, wire: Wire) -> None:
    """Never an empty success, whatever pretends to be a response."""
    result = inside.play(tmp_path, [NO_ANSWERS[name]], wire, "max_retries = 0")
    assert result.last["code"] in ("invalid_response", "truncated_stream", "provider_error")


def test_an_error_inside_the_stream_before_text(a3s: Bench) -> None:
    value = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    overloaded = raw(b"event: error\n" + _stream(value))
    script = [overloaded, text("yo")]
    result = a3s("run", "go", script=script, wire="anthropic")
    assert (result.text, result.one("retry")["code"]) == ("yo", "overloaded")


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_an_error_inside_the_stream_after_text(tmp_path: Path, wire: Wire) -> None:
    value = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    event = b"event: error\n" if wire == "anthropic" else b""
    script = [cut("so", event + _stream(value))]
    result = inside.play(tmp_path, script, wire)
    assert result.last["code"] in ("overloaded", "provider_error")
    assert [event["text"] for event in result.of("text_delta")] == ["so"]
    assert len(result.requests) == 1


def test_text_of_the_model_is_no_error(a3s: Bench) -> None:
    result = a3s("run", "go", script=[text('{"error": "API Error: 500 Internal Server Error"}')])
    assert result.status == 0


@pytest.mark.parametrize("how", ["end", "close", "reset"])
def test_reasoning_does_not_forbid_a_retry(tmp_path: Path, how: Any) -> None:
    script = [cut(reasoning("hm").pieces[0], how=how), text("yo")]
    result = inside.play(tmp_path, script)
    assert result.text == "yo" and result.one("retry")["code"] in ("truncated_stream", "network")


@pytest.mark.parametrize("how", ["end", "close", "reset"])
def test_shown_text_forbids_a_retry(tmp_path: Path, how: Any) -> None:
    result = inside.play(tmp_path, [cut("so", how=how)])
    assert (result.last["code"], result.status) == ("truncated_stream", 75)
    assert len(result.requests) == 1 and "retry" not in result.types


def test_a_refused_connection(a3s: Bench) -> None:
    result = a3s("run", *ONCE, "-m", "openai/x", "go")
    assert (result.last["code"], result.status, len(result.of("retry"))) == ("network", 75, 1)


def test_an_unknown_host(a3s: Bench) -> None:
    env = {"OPENAI_BASE_URL": "http://nowhere.invalid/v1"}
    result = a3s("run", "--max-retries", "0", "-m", "openai/x", "go", env=env)
    assert (result.last["code"], result.status) == ("network", 75)


def test_no_key_is_told_without_a_request(a3s: Bench) -> None:
    env = {"OPENAI_API_KEY": None, "OPENAI_BASE_URL": "https://nowhere.invalid/v1"}
    result = a3s("run", "-m", "openai/x", "go", env=env)
    assert (result.last["code"], result.status) == ("auth", 77)
    assert "OPENAI_API_KEY" in result.last["hint"]


def test_a_loopback_provider_needs_no_key(a3s: Bench) -> None:
    env = {"OPENAI_API_KEY": None}
    assert a3s("run", "go", script=[text("yo")], env=env).text == "yo"


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_key_that_is_echoed_is_not_shown(a3s: Bench, status: int) -> None:
    body = {"error": {"message": f"Incorrect API key provided: {SECRET}, or: Bearer {SECRET}"}}
    for flags in ((), ("--debug",)):
        script = [error(status, body, headers={"retry-after-ms": "1"})] * 2
        result = a3s("run", *ONCE, *flags, "go", script=script[: 2 if status == 500 else 1])
        assert SECRET.encode() not in result.stdout + result.stderr
