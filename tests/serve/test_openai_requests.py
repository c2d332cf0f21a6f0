"""What an OpenAI client may ask for besides an answer, and how a refusal is put."""

from __future__ import annotations

import socket

import pytest

from ..support.replies import text
from .serving import Host

USER = {"role": "user", "content": "hi"}


def test_system_messages_are_the_system_prompt(host: Host) -> None:
    serving = host.serve([text("yo"), text("yo"), text("yo")])
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Answer in French."}]},
        USER,
    ]
    for body in ({"messages": messages}, {"messages": messages, "sessionId": "s1"}):
        assert serving.post("/v1/chat/completions", body).status_code == 200
    for request in serving.model.requests:
        system, user = request.body["messages"]
        assert system == {"role": "system", "content": "Be brief.\n\nAnswer in French."}
        assert user["content"] == "hi"
    assert serving.post("/v1/chat/completions", {"messages": [USER]}).status_code == 200
    assert "a3s" in serving.model.requests[2].body["messages"][0]["content"]


def test_one_model(host: Host) -> None:
    serving = host.serve([])
    listed = serving.client.get("/v1/models").json()["data"]
    assert listed[0]["id"] == "a3s"
    for row in listed:
        assert serving.client.get(f"/v1/models/{row['id']}").json() == row
    answer = serving.client.get("/v1/models/no/such")
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["type"], error["param"], error["code"]) == (
        "invalid_request_error",
        "model",
        "model_not_found",
    )


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("model", {"model": "nowhere/x"}),
        ("model", {"model": "noslash"}),
        ("model", {"model": 3}),
        ("messages", {"messages": []}),
        ("messages[0].role", {"messages": [{"role": "robot", "content": "x"}]}),
        ("response_format.type", {"response_format": {"type": "xml"}}),
        (
            "response_format.json_schema.schema",
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": 3}}}},
        ),
        ("sessionId", {"sessionId": "../x"}),
        ("tools", {"tools": [{"type": "function"}]}),
        ("n", {"n": 2}),
    ],
)
def test_an_error_names_the_field(host: Host, field: str, body: dict[str, object]) -> None:
    answer = host.serve([]).post("/v1/chat/completions", {"messages": [USER], **body})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, field)
    assert error["message"].startswith(("the last of `messages`", f"`{field}` of the body"))
    assert "--" not in error["message"]


def test_what_is_no_http_is_answered_in_json(host: Host) -> None:
    serving = host.serve([])
    for sent in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"\x16\x03\x01\r\n"):
        with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as connection:
            connection.sendall(sent)
            answer = b"".join(iter(lambda c=connection: c.recv(4096), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ") and b"content-type: application/json" in head
        assert body == b'{"error":{"code":"http","message":"this is not a valid HTTP request"}}'


def test_a_name_for_the_server(host: Host) -> None:
    serving = host.serve([text("yo")], "--allow-host", "host.docker.internal")
    for name in ("host.docker.internal", f"HOST.docker.internal:{serving.port}"):
        answer = serving.client.get("/v1/models", headers={"host": name})
        assert answer.status_code == 200
        assert serving.client.get("/", headers={"host": name}).status_code == 200
    headers = {"host": "host.docker.internal", "authorization": "Bearer wrong"}
    assert serving.client.get("/v1/models", headers=headers).status_code == 401
    for name in ("docker.internal", "x.host.docker.internal", "evil.example"):
        answer = serving.client.get("/v1/models", headers={"host": name})
        assert answer.status_code == 403
        assert f"--allow-host {name}" in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["*", "*.example", "a b", "example:80", "http://example", ""])
def test_a_name_that_is_none(host: Host, name: str) -> None:
    result = host.bench("serve", "--port", "0", "--allow-host", name)
    assert (result.status, result.stdout) == (2, b"")
    assert "expected the exact name of a host" in result.stderr.decode()
