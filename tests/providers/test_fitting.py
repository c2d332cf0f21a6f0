"""A server that refuses a field is asked once more without it, and never without what was set."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.run import Result
from ..support.sockets import Asked, RawServer, response


def refusal(message: str, status: int = 400, **error: Any) -> bytes:
    body = json.dumps({"error": {"message": message, "type": "invalid_request_error", **error}})
    return response(body.encode(), content_type="application/json", status=status)


def run(
    a3s: Bench,
    refusals: list[bytes],
    *flags: str,
    wire: str = "openai-chat",
    provider: str = "",
    **options: Any,
) -> tuple[Result, list[Any]]:
    """Run against a server that refuses first; return what it was sent as well."""
    bodies = [*refusals, response(wires.text(wire, "done"))]

    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(bodies[min(len(server.requests), len(bodies)) - 1])

    with RawServer(answer) as server:
        text = wires.config(wire, server.url).replace(
            '\n  models "m-1"', f'\n{provider}\n  models "m-1"'
        )
        (a3s.root / "c.acl").write_text(text)
        args = ("--config", str(a3s.root / "c.acl"), "-m", "test/m-1", "--max-retries", "0")
        result = a3s("run", *args, *flags, "go", **options)
        return result, [json.loads(asked.body) for asked in server.requests]


@pytest.mark.parametrize(
    "message",
    [
        "Unrecognized request argument supplied: stream_options",
        "stream_options: Extra inputs are not permitted",
        "Unknown parameter: 'stream_options'.",
        'Invalid JSON payload received. Unknown name "stream_options": Cannot find field.',
        "The field `stream_options` is not supported by this server",
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_field_is_left_out(a3s: Bench, message: str, status: int) -> None:
    result, sent = run(a3s, [refusal(message, status)])
    assert (result.status, result.text) == (0, "done")
    assert ["stream_options" in body for body in sent] == [True, False]
    del sent[0]["stream_options"]
    assert sent[0] == sent[1]
    notice = result.one("notice")
    assert (notice["code"], notice["key"]) == ("field_refused", "stream_options")
    assert "stream_options = false" in notice["text"]
    assert result.of("retry") == []


def test_the_place_of_a_validator_counts(a3s: Bench) -> None:
    detail = [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]
    body = json.dumps({"detail": detail}).encode()
    answer = response(body, content_type="application/json", status=422)
    result, sent = run(a3s, [answer])
    assert (result.text, "stream_options" in sent[1]) == ("done", False)


def test_a_limit_gets_its_other_name(a3s: Bench) -> None:
    message = (
        "Unsupported parameter: 'max_tokens' is not supported with this model."
        " Use 'max_completion_tokens' instead."
    )
    result, sent = run(a3s, [refusal(message, param="max_tokens")], "--max-tokens", "77")
    assert result.text == "done"
    assert [body.get("max_tokens") for body in sent] == [77, None]
    assert sent[1]["max_completion_tokens"] == 77
    assert 'max_tokens_field = "max_completion_tokens"' in result.one("notice")["text"]


@pytest.mark.parametrize(
    ("message", "flags", "provider", "told"),
    [
        (
            "Unsupported parameter: 'temperature'",
            ("--temperature", "0.5"),
            "",
            "temperature = false",
        ),
        ("Unknown parameter: 'seed'", (), "  extra_body { seed = 7 }", ""),
        ("Unknown parameter: 'stream_options'", (), "  stream_options = true", ""),
        ("max_tokens is too large: 77. It must be at most 10", ("--max-tokens", "77"), "", ""),
        ("something is wrong", (), "", ""),
    ],
)
def test_what_the_user_has_set_is_not_given_up(
    a3s: Bench, message: str, flags: tuple[str, ...], provider: str, told: str
) -> None:
    result, sent = run(a3s, [refusal(message)], *flags, provider=provider)
    assert (result.status, result.last["code"]) == (1, "provider_error")
    assert len(sent) == 1
    assert told in result.last.get("hint", "")


def test_a_keyword_of_the_tools_schemas(a3s: Bench) -> None:
    message = "tools[0].function.parameters: unsupported schema keyword 'additionalProperties'"
    result, sent = run(a3s, [refusal(message)], "--tools", "bash,grep")
    assert result.text == "done"
    assert "additionalProperties" in json.dumps(sent[0])
    assert "additionalProperties" not in json.dumps(sent[1])
    # A parameter of that name is none.
    grep = next(one["function"] for one in sent[1]["tools"] if one["function"]["name"] == "grep")
    assert "pattern" in grep["parameters"]["properties"]
    assert 'schema_without = ["additionalProperties"]' in result.one("notice")["text"]


def test_one_field_after_another(a3s: Bench) -> None:
    first = refusal("Unknown parameter: 'stream_options'")
    second = refusal("Unknown parameter: 'max_tokens'; did you mean max_completion_tokens?")
    result, sent = run(a3s, [first, second], "--max-tokens", "9")
    assert (result.text, len(sent)) == ("done", 3)
    again, sent = run(a3s, [first, first, first])
    assert (again.last["code"], len(sent)) == ("provider_error", 2)


def test_the_configuration_settles_it(a3s: Bench) -> None:
    provider = """
  stream_options = false
  max_tokens_field = "max_output"
  strict = false
  schema_without = ["additionalProperties"]
  auth_header = "X-Gateway-Key"
  extra_body {
    seed = 7
    metadata = { team = "a", tags = ["x", true, null], token = env("TOKEN") }
  }
"""
    result, (sent,) = run(a3s, [], "--max-tokens", "9", provider=provider, env={"TOKEN": "s-12345"})
    assert result.text == "done"
    assert sent["seed"] == 7
    assert sent["metadata"] == {"team": "a", "tags": ["x", True, None], "token": "s-12345"}
    assert (sent["max_output"], "stream_options" in sent) == (9, False)
    assert "additionalProperties" not in json.dumps(sent)


def test_the_configuration_shows_it(a3s: Bench) -> None:
    (a3s.root / "c.acl").write_text(
        """providers "gateway" {
  stream_options = false
  object_modes = ["tool", "prompt"]
  extra_body { user = "x", token = env("TOKEN"), deep { n = 1 } }
  streamoptions = true
  models "m" { maxTokensField = "max_completion_tokens"  reasoning_replay = false }
}
"""
    )
    shown = a3s("config", "--config", str(a3s.root / "c.acl"), env={"TOKEN": "s" * 24})
    text = shown.stdout.decode()
    file = a3s.root / "c.acl"
    for line in (
        f"stream_options = false # {file}:2",
        f'object_modes = ["tool", "prompt"] # {file}:3',
        f'extra_body = {{ user = "x", token = "sss…ss", deep = {{ n = 1 }} }} # {file}:4',
        f'max_tokens_field = "max_completion_tokens" # {file}:6',
        f"reasoning_replay = false # {file}:6",
    ):
        assert line in " ".join(text.split()).replace(" # ", " # "), line
    assert 'unknown key "streamoptions", did you mean "stream_options"?' in text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('stream_options = "no"', "true or false"),
        ('object_modes = ["fast"]', 'one of "strict", "json", "tool", "prompt"'),
        ("tool_choice = 3", 'one of true, false, "required"'),
        ('auth_header = "a b"', "the name of an HTTP header"),
        ("extra_body = 3", "extra_body { … }"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(a3s: Bench, line: str, expected: str) -> None:
    file = a3s.root / "c.acl"
    file.write_text(f'providers "gateway" {{\n  {line}\n}}\n')
    result = a3s("run", "--config", str(file), "-m", "gateway/m", "go")
    assert (result.status, result.last["code"]) == (78, "config")
    assert f"{file}:2:" in result.last["error"]
    assert f"expected {expected}" in result.last["error"]
