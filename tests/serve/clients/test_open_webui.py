"""The requests that Open WebUI sends, and what it makes of the answers.

It is too large to be installed for a test, so this does as its backend does: it
verifies a connection by the list of models, wants a usage at the end of each
stream, reads lines and skips what does not begin with `data:`, and has its own
small tasks (a title, tags) done by the same model, not streamed.
"""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from ...support.replies import bash, error, reasoning, text
from ..serving import HANG, Host, Serving

Json = dict[str, Any]
#: Its requests as they arrive from a container, header by header, and what they are to get.
RECORDED: list[Json] = json.loads(Path(__file__).with_name("open_webui.json").read_text())
NAME = "host.docker.internal"
#: What an administrator gets by default; the last part of a prompt may be marked for caches.
MARKED = {"type": "text", "text": "And now?", "cache_control": {"type": "ephemeral"}}


def _chat(serving: Serving, messages: list[Json], **more: Any) -> list[Json]:
    """Post as a chat does; give what is shown, the parts that stand beside each other joined."""
    body = {"model": "a3s", "messages": messages, "stream": True, **more}
    body["stream_options"] = {"include_usage": True}
    shown: list[Json] = []
    with serving.client.stream("POST", "/v1/chat/completions", json=body) as response:
        assert "text/event-stream" in response.headers["content-type"]
        for line in response.iter_lines():
            if line.startswith("data:") and line != "data: [DONE]":
                _show(json.loads(line.removeprefix("data:")), shown)
    return shown


def _show(data: Json, shown: list[Json]) -> None:
    if usage := data.get("usage"):
        shown.append({"usage": usage["total_tokens"]})
    if not data.get("choices"):
        if failure := data.get("error"):
            shown.append({"error": failure["message"]})
        return
    delta = data["choices"][0]["delta"]
    for name in ("reasoning_content", "content"):
        if value := delta.get(name):
            if not shown or name not in shown[-1]:
                shown.append({name: ""})
            shown[-1][name] += value


def test_a_connection_a_chat_and_its_title(host: Host) -> None:
    serving = host.serve(
        [
            reasoning("Hm.", "I look."),
            bash("echo one", "c1"),
            text("Done", "."),
            text("A title"),
            error(401),
        ],
        *("--allow", "bash", "--max-retries", "0"),
    )
    models = serving.client.get("/v1/models").json()
    assert "error" not in models
    assert [model["id"] for model in models["data"]] == ["a3s", "openai/test-model"]

    question = {"role": "user", "content": "What is here?"}
    first = _chat(serving, [{"role": "system", "content": "Be brief."}, question])
    assert first == [
        {"reasoning_content": "Hm."},
        {"content": "I look."},
        {"usage": 15},
    ]

    answer = {"role": "assistant", "content": "I look."}
    again = [question, answer, {"role": "user", "content": [MARKED]}]
    assert _chat(serving, again, temperature=0.7, max_tokens=99) == [
        {"reasoning_content": "[1] bash  echo one\none\n[1] exit 0\n"},
        {"content": "Done."},
        {"usage": 30},
    ]
    told = serving.model.requests[1].body["messages"]
    assert told[-1] == {
        "role": "user",
        "content": "The conversation so far, one JSON object per line:\n"
        '{"role":"user","content":"What is here?"}\n'
        '{"role":"assistant","content":"I look."}\n'
        "\n"
        "The message to answer now:\n"
        "\n"
        "And now?",
    }

    task = {"role": "user", "content": "### Task:\nGenerate a title."}
    body = {"model": "a3s", "messages": [task], "stream": False, "max_completion_tokens": 1000}
    done = serving.post("/v1/chat/completions", body)
    assert done.headers["content-type"] == "application/json"
    assert done.json()["choices"][0]["message"]["content"] == "A title"

    (failure,) = _chat(serving, [question])
    assert failure == {
        "error": "openai refused the credentials (401): scripted 401 "
        "(check the API key and its permissions)"
    }


def test_a_wrong_key_is_an_error_with_a_sentence(host: Host) -> None:
    serving = host.serve([])
    refused = serving.client.get("/v1/models", headers={"authorization": "Bearer wrong"})
    assert refused.status_code == 401
    assert "error" in refused.json()


def _replay(serving: Serving, recorded: Json, name: str) -> tuple[int, str]:
    """Send a recorded request for this name of the server; return the status and the body."""
    content = json.dumps(recorded["body"]).encode() if "body" in recorded else None
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=HANG)
    connection.putrequest(
        recorded["method"], recorded["path"], skip_host=True, skip_accept_encoding=True
    )
    for header, value in recorded["headers"]:
        here = value.replace("8321", str(serving.port)).replace("TOKEN", serving.token)
        connection.putheader(header, here.replace(NAME, name))
    if content is not None:
        connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content)
    with connection.getresponse() as response:
        body = response.read().decode()
    connection.close()
    return response.status, body


def _shown(recorded: Json, body: str) -> Any:
    """Return what the chat makes of an answer."""
    if not recorded.get("body", {}).get("stream"):
        answer = json.loads(body)
        if "data" in answer:
            return [model["id"] for model in answer["data"]]
        return answer["choices"][0]["message"]["content"] if "choices" in answer else answer["id"]
    shown: list[Json] = []
    for line in body.split("\n"):
        if line.startswith("data:") and line != "data: [DONE]":
            _show(json.loads(line.removeprefix("data:")), shown)
    (answer, usage) = shown
    assert usage == {"usage": 15}
    return answer["content"]


def test_the_recorded_requests_pass_under_the_name_that_is_allowed(host: Host) -> None:
    script = [text(each["shows"]) for each in RECORDED if "body" in each]
    serving = host.serve(script, "--allow-host", NAME)
    for recorded in RECORDED:
        status, body = _replay(serving, recorded, NAME)
        assert (status, _shown(recorded, body)) == (200, recorded["shows"]), recorded["name"]
    assert len(serving.model.requests) == len(script)


@pytest.mark.parametrize("name", [NAME, "a3s.internal"])
def test_another_name_is_answered_with_the_option_that_allows_it(host: Host, name: str) -> None:
    serving = host.serve([], "--allow-host", "proxy.example")
    for recorded in RECORDED:
        status, body = _replay(serving, recorded, name)
        said = (
            f"the Host '{name}:{serving.port}' is not a name of this server; "
            f"to accept it, start a3s serve with --allow-host {name}"
        )
        assert (status, json.loads(body)["error"]["message"]) == (403, said), recorded["name"]
    assert serving.model.requests == []
