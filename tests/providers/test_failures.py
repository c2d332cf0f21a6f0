"""What providers say when they fail: the code by the rules, their own words, and no secret."""

from __future__ import annotations

import json
from email.utils import formatdate
from time import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.errors import A3SError, InvalidResponse
from a3s_cli.providers.failures import MESSAGE_LIMIT, classify, in_stream, no_stream
from tests.support.corpus import load

#: Words of the recorded errors that mean "the conversation is too long", written down by hand.
TOO_LONG = (
    "prompt is too long",
    "prompt too long",
    "maximum context length",
    "context window",
    "available context size",
    "too many tokens",
    "Input Tokens Exceeded",
    "input token count",
    "total length of all messages",
)


def vendor_message(body: str) -> str:
    """Find the vendor's message in a recorded body."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    error = value.get("error", value)
    if isinstance(error, str):
        return error
    message: str = error.get("message") or error["detail"]
    return message


def expected_code(status: int, message: str) -> str:
    if status in (401, 403):
        return "auth"
    if status == 429:
        return "rate_limited"
    if any(words in message for words in TOO_LONG):
        return "context_overflow"
    if "image input is not supported" in message:  # sent again, it is refused again
        return "provider_error"
    return "overloaded" if status >= 500 else "provider_error"


def test_the_recorded_errors() -> None:
    recorded: list[dict[str, Any]] = load("http_errors.json")
    wrong: list[Any] = []
    for one in recorded:
        error = classify(one["status"], one["headers"], one["body"].encode(), "vendor")
        message = " ".join(vendor_message(one["body"]).split())
        if error.code != expected_code(one["status"], message):
            wrong.append((one["status"], error.code, message))
        if message not in str(error) or str(one["status"]) not in str(error):
            wrong.append((str(error), message))
        if error.status != one["status"] or error.provider != "vendor":
            wrong.append((error.status, error.provider))
    assert wrong == []
    assert len(recorded) >= 178


def body(**error: Any) -> bytes:
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("status", "content", "code", "resend"),
    [
        (400, body(message="bad"), "provider_error", False),
        (402, body(message="pay"), "provider_error", False),
        (404, body(message="no such model"), "provider_error", False),
        (408, body(message="slow"), "provider_timeout", True),
        (409, body(message="locked"), "provider_error", True),
        (413, body(message="prompt is too long"), "context_overflow", False),
        (429, body(message="slow down"), "rate_limited", True),
        (429, body(message="no", code="insufficient_quota"), "provider_error", False),
        (429, body(message="You have run out of credits"), "provider_error", False),
        (429, body(message="check your plan and billing details"), "provider_error", False),
        (400, body(message="filtered", code="content_filter"), "refusal", False),
        (500, body(message="oops"), "overloaded", True),
        (500, body(message="context_length_exceeded"), "context_overflow", False),
        (503, b"", "overloaded", True),
        (504, b"<html><title>504 Gateway Time-out</title></html>", "provider_timeout", True),
        (529, body(type="overloaded_error", message="Overloaded"), "overloaded", True),
        (302, b"", "provider_error", False),
        (413, b"<html><title>413 Request Entity Too Large</title></html>", "provider_error", False),
        (424, body(message="the model failed"), "overloaded", True),
        (425, b"", "overloaded", True),
        (499, b"\xff\xfe", "overloaded", True),
        (499, body(status="CANCELLED", message="The operation was cancelled."), "overloaded", True),
    ],
)
def test_codes(status: int, content: bytes, code: str, resend: bool) -> None:
    error = classify(status, {}, content, "vendor")
    assert (error.code, error.resend) == (code, resend)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after-ms": "1500"}, 1500),
        ({"Retry-After-Ms": "12.6", "retry-after": "9"}, 13),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1000),
        ({"retry-after": "2"}, 2000),
        ({"RETRY-AFTER": "0.25"}, 250),
        ({"retry-after": "3600"}, 3_600_000),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait: int | None) -> None:
    assert classify(429, headers, b"", "vendor").retry_after_ms == wait


def test_a_date_to_wait_for() -> None:
    headers = {"retry-after": formatdate(time() + 30, usegmt=True)}
    wait = classify(503, headers, b"", "vendor").retry_after_ms
    assert wait is not None
    assert 20_000 < wait <= 31_000


def test_the_vendor_decides_about_retrying() -> None:
    assert not classify(503, {"x-should-retry": "false"}, b"", "vendor").resend
    assert classify(400, {"X-Should-Retry": "true"}, b"", "vendor").resend
    assert classify(503, {"x-should-retry": "maybe"}, b"", "vendor").resend


def test_a_quota_that_fills_up_again_is_a_pause_and_an_exhausted_one_is_not() -> None:
    def google(quota: str) -> bytes:
        details = [
            {"@type": "QuotaFailure", "violations": [{"quotaId": quota}]},
            {"@type": "RetryInfo", "retryDelay": "48s"},
        ]
        message = "You exceeded your current quota, please check your plan and billing details."
        return body(code=429, message=message, status="RESOURCE_EXHAUSTED", details=details)

    pause = classify(429, {}, google("InputTokensPerModelPerMinute"), "vendor")
    assert (pause.code, pause.retryable, pause.retry_after_ms) == ("rate_limited", True, 48_000)
    exhausted = classify(429, {}, google("RequestsPerDayPerProject"), "vendor")
    assert (exhausted.code, exhausted.retryable) == ("provider_error", False)


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop1234",
        "AIzaSyA1234567890abcdefghijklmnopqrstu",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "xai-0123456789abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "Bearer 0123456789abcdefghijklmn",
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_what_looks_like_a_key_is_masked(secret: str) -> None:
    content = body(
        message=f"Incorrect API key provided: {secret}. Find it at https://x.example/keys"
    )
    said = str(classify(401, {}, content, "vendor"))
    assert secret.removeprefix("Bearer ") not in said
    assert "Incorrect API key provided: " in said
    assert said.endswith("Find it at https://x.example/keys")


def test_a_given_secret_is_masked_wherever_it_is() -> None:
    for content in (
        body(message="no hunter2!"),
        b"<p>hunter2</p>",
        b"hunter2",
        b'{"detail":"hunter2"}',
    ):
        assert "hunter2" not in str(classify(400, {}, content, "vendor", ["hunter2"]))
    assert "hunter2" not in str(no_stream("hunter2 hello", "vendor", ["hunter2"]))
    assert "hunter2" not in str(in_stream({"message": "hunter2"}, "vendor", ["hunter2"]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"plain words\n", "plain words"),
        (b"<html><head><title>502 Bad Gateway</title></head><body>x</body></html>", "Bad Gateway"),
        (b"<h1>Not&nbsp;here</h1><script>var x;</script>", "Not here"),
        (b'{"detail":[{"loc":["body"],"msg":"field required"}]}', "field required"),
        (b'{"message":"top"}', "top"),
        (b'[{"error":{"message":"in a list"}}]', "in a list"),
        (b'{"error":{"message":"two\\nlines"}}', "two lines"),
        (b'{"errors":["one","two"]}', "one; two"),
        (b"", "Bad Gateway"),
        (b"[]", "Bad Gateway"),
        (b'{"error":null}', "Bad Gateway"),
    ],
)
def test_every_kind_of_body_gives_a_sentence(content: bytes, said: str) -> None:
    error = classify(502, {}, content, "vendor")
    assert said in str(error)
    assert str(error).startswith("vendor cannot serve the request now (502): ")


def test_a_long_message_is_cut() -> None:
    said = str(classify(500, {}, b"x" * 10_000_000, "vendor"))
    assert len(said) < MESSAGE_LIMIT + 100
    assert said.endswith("…")


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "m"}},
            "overloaded",
            529,
        ),
        ({"error": {"type": "rate_limit_error", "message": "m"}}, "rate_limited", 429),
        ({"code": "insufficient_quota", "message": "m"}, "provider_error", 429),
        ({"code": "server_error", "message": "m"}, "overloaded", 500),
        ({"error": {"code": 502, "message": "m"}}, "overloaded", 502),
        ({"error": {"code": "401", "message": "m"}}, "auth", 401),
        (
            {"error": {"type": "invalid_request_error", "message": "prompt is too long"}},
            "context_overflow",
            400,
        ),
        ({"error": {"code": 503, "status": "UNAVAILABLE", "message": "m"}}, "overloaded", 503),
        ({"error": {"status": "DEADLINE_EXCEEDED", "message": "m"}}, "provider_timeout", 504),
        ({"error": "m"}, "provider_error", None),
        ("m", "provider_error", None),
        (None, "provider_error", None),
    ],
)
def test_an_error_inside_a_stream(error: object, code: str, status: int | None) -> None:
    found = in_stream(error, "vendor")
    assert (found.code, found.status) == (code, status)
    assert str(found).endswith(": m") or error is None or code == "context_overflow"


def test_a_body_that_is_no_stream() -> None:
    page = no_stream("<html><title>Sign in</title></html>", "vendor")
    assert isinstance(page, InvalidResponse)
    assert str(page) == "vendor answered with something other than an event stream: Sign in"
    assert no_stream('{"error":{"message":"m","code":429}}', "vendor").code == "rate_limited"
    assert no_stream('error: {"error":{"message":"m"}}\n', "vendor").code == "provider_error"
    assert no_stream('{"choices":[]}', "vendor").code == "invalid_response"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "code",
                    "type",
                    "status",
                    "detail",
                    "details",
                    "metadata",
                    "raw",
                    "violations",
                    "retryDelay",
                    "reason",
                    "errors",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(VALUES, st.integers(300, 599), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_no_body_breaks_the_classification(
    value: Any, status: int, headers: dict[str, str]
) -> None:
    content = json.dumps(value).encode()
    headers["retry-after"] = headers.get("", "x")
    for error in (classify(status, headers, content, "v"), in_stream(value, "v")):
        assert isinstance(error, A3SError)
        assert "\n" not in str(error)
    assert isinstance(no_stream(content.decode(), "v"), A3SError)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_classification(content: bytes) -> None:
    assert classify(500, {}, content, "v").code in ("overloaded", "context_overflow", "refusal")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"detail": [{"loc": ["body", "messages", 0, "content"], "msg": "Field required"}]},
            "body.messages.0.content: Field required",
        ),
        ({"detail": [{"loc": ["body", "a"], "msg": "x"}, {"msg": "y"}]}, "body.a: x; y"),
        (
            {"error": {"message": "Invalid type", "param": "messages[0].content"}},
            "Invalid type (in messages[0].content)",
        ),
        ({"error": {"message": "Unknown field: 'x'", "param": "x"}}, "Unknown field: 'x'"),
        (
            {
                "error": {
                    "message": "Provider returned error",
                    "metadata": {"raw": '{"error":{"message":"upstream says no"}}'},
                }
            },
            "Provider returned error: upstream says no",
        ),
        ({"fault": {"faultstring": "Rate limit quota violation"}}, "Rate limit quota violation"),
        ({"success": False, "msg": "no"}, "no"),
    ],
)
def test_the_place_and_the_cause_are_kept(content: Any, said: str) -> None:
    error = classify(400, {}, json.dumps(content).encode(), "vendor")
    assert str(error) == f"vendor refused the request (400): {said}"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            "<html><head><title>Access Denied</title></head>"
            "<body><h1>Blocked by policy &quot;AI&quot;</h1><p>More</p></body></html>",
            'Access Denied: Blocked by policy "AI"',
        ),
        ("<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>", "502 Bad Gateway"),
        ("<html><style>p { color: red }</style><p>Sign   in</p>", "Sign in"),
    ],
)
def test_a_page_is_told_by_its_headings(page: str, said: str) -> None:
    assert str(classify(502, {}, page.encode(), "vendor")).endswith(f"(502): {said}")


@pytest.mark.parametrize(
    ("status", "message", "hint"),
    [
        (413, "too large", "new session"),
        (400, "registry.ollama.ai/library/gemma:2b does not support tools", "tool_call = false"),
        (404, "No endpoints found that support tool use.", "tool_call = false"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice', "tool parser"),
    ],
)
def test_hints(status: int, message: str, hint: str) -> None:
    assert hint in (classify(status, {}, body(message=message), "vendor").hint or "")
