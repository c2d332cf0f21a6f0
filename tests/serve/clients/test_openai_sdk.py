"""The official OpenAI SDKs, of Python and of Node, against `a3s serve`.

Both make the same requests and must see the same: `openai_sdk.mjs` is in Node
what `_python` is here.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel

from a3s_cli.serve import openai as adapter
from a3s_cli.serve.follow import COMMENT

from ...support.replies import Reply, after, bash, error, reasoning, stall, text
from ..protocols import chat_message
from ..serving import Host, Serving
from ..streams import recorded
from .node import client as node

Json = dict[str, Any]

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
SHAPE = {"type": "json_schema", "json_schema": {"name": "thing", "schema": SCHEMA}}
STREAM = {"stream": True, "stream_options": {"include_usage": True}}
SOUND = [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]
REFUSED = (
    "openai refused the credentials (401): scripted 401 (check the API key and its permissions)"
)
ASIDE = "[1] bash  echo one\none\n[1] exit 0\n"


def _ask(said: Any, **more: Any) -> Json:
    return {"model": "a3s", "messages": [{"role": "user", "content": said}], **more}


def _usage(turns: int) -> Json:
    return {
        "prompt_tokens": 10 * turns,
        "completion_tokens": 5 * turns,
        "total_tokens": 15 * turns,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _streamed(content: str, turns: int, aside: str = "", finish: str = "stop") -> Json:
    said = {"content": content, "reasoning_content": aside}
    return {**said, "finish": finish, "usage": _usage(turns)}


def _whole(content: str, turns: int, aside: str = "", finish: str = "stop") -> Json:
    message = {"role": "assistant", "content": content, "refusal": None}
    message |= {"reasoning_content": aside} if aside else {}
    ended = {"finish_reason": finish, "logprobs": None}
    return {"choices": [{"index": 0, "message": message, **ended}], "usage": _usage(turns)}


def _failed(kind: str, status: int | None, code: str, message: str) -> Json:
    return {"error": {"kind": kind, "status": status, "code": code, "message": message}}


#: Request, what the model answers meanwhile, what the SDK makes of it.
TALKS: list[tuple[Json, list[Reply], Json]] = [
    ({"models": True}, [], {"models": ["a3s", "openai/test-model"]}),
    (_ask("?", **STREAM), [reasoning("Hm.", "Y", "es.")], _streamed("Yes.", 1, "Hm.")),
    (
        _ask("?", **STREAM),
        [bash("echo one", "c1"), text("Done", ".")],
        _streamed("Done.", 2, ASIDE),
    ),
    (_ask("?"), [bash("echo one", "c1"), text("Done", ".")], _whole("Done.", 2, ASIDE)),
    (
        _ask("?", response_format=SHAPE),
        [text("It is b."), text('{"name":', '"b"}')],
        _whole('{"name":"b"}', 2, "It is b."),
    ),
    (
        _ask("?", **STREAM),
        [text("and so", finish="max_tokens")],
        _streamed("and so", 1, finish="length"),
    ),
    (_ask("?"), [error(401)], _failed("InternalServerError", 502, "auth", REFUSED)),
    (_ask("?", **STREAM), [error(401)], _failed("APIError", None, "auth", REFUSED)),
    (
        _ask(SOUND),
        [],
        _failed(
            "BadRequestError",
            400,
            "usage",
            '`messages[0].content[0].type` of the body is "input_audio":'
            " expected text, image_url or file",
        ),
    ),
]


def _python(serving: Serving, requests: list[Json]) -> list[Json]:
    with openai.OpenAI(base_url=f"{serving.url}/v1", api_key=serving.token) as client:
        return _told(client, requests)


def _told(client: openai.OpenAI, requests: list[Json]) -> list[Json]:
    told = []
    for request in requests:
        try:
            told.append(_made(client, dict(request)))
        except openai.APIError as failure:
            assert isinstance(failure.body, dict), failure
            status = getattr(failure, "status_code", None)
            kind, message = type(failure).__name__, failure.body["message"]
            told.append(_failed(kind, status, str(failure.code), message))
    return told


def _made(client: openai.OpenAI, request: Json) -> Json:
    if "models" in request:
        return {"models": [model.id for model in client.models.list()]}
    leaves_at = request.pop("leavesAt", None)
    if not request.get("stream"):
        answer = client.chat.completions.create(**request).model_dump(exclude_unset=True)
        return {name: answer[name] for name in ("choices", "usage")}
    said = {"content": "", "reasoning_content": ""}
    finish = usage = None
    with client.chat.completions.create(**request) as stream:
        for chunk in stream:
            usage = chunk.usage.model_dump(exclude_unset=True) if chunk.usage else usage
            for choice in chunk.choices:
                finish = choice.finish_reason or finish
                for name in said:
                    said[name] += getattr(choice.delta, name, None) or ""
            if leaves_at and leaves_at in said["content"]:
                break
    return {**said, "finish": finish, "usage": usage}


def _node(serving: Serving, requests: list[Json]) -> list[Json]:
    spec = {"url": serving.url, "token": serving.token, "requests": requests}
    told: list[Json] = node("openai_sdk.mjs", spec)
    return told


SDKS = pytest.mark.parametrize("sdk", [_python, _node], ids=["python", "node"])
Sdk = Callable[[Serving, list[Json]], list[Json]]


@SDKS
def test_what_an_sdk_sees(host: Host, sdk: Sdk) -> None:
    script = [reply for _, replies, _ in TALKS for reply in replies]
    serving = host.serve(script, "--allow", "bash", "--max-retries", "0")
    told = sdk(serving, [request for request, _, _ in TALKS])
    assert told == [expected for _, _, expected in TALKS]
    # Nothing was sent twice: neither by an SDK, which likes to, nor by us.
    assert len(serving.model.requests) == len(script)


@SDKS
def test_the_key_is_the_token(host: Host, sdk: Sdk) -> None:
    serving = host.serve([])
    serving.token = "wrong"
    (told,) = sdk(serving, [_ask("?")])
    assert told == _failed(
        "AuthenticationError",
        401,
        "token",
        "the Authorization header does not contain this server's token",
    )


@SDKS
def test_who_leaves_cancels(host: Host, sdk: Sdk) -> None:
    """A client of this protocol cannot come back, nor cancel in any other way."""
    serving = host.serve([stall("so", " far")])
    (told,) = sdk(serving, [_ask("?", stream=True, leavesAt="so")])
    assert told["content"].startswith("so")
    serving.model.wait_for_departure()


def test_who_gives_up_waiting_cancels(host: Host) -> None:
    """Without a stream as well; where the request names a session the run goes on in it."""
    gate = threading.Event()
    serving = host.serve([stall("so"), after(text("Yes."), gate)])
    with _waiting(serving, _ask("?")):
        serving.model.wait_for_request(1)
    serving.model.wait_for_departure(1)
    with _waiting(serving, _ask("?", sessionId="notes")):
        serving.model.wait_for_request(2)
    gate.set()
    with serving.events("notes") as stream:
        assert stream.whole()[-1]["text"] == "Yes."


@contextmanager
def _waiting(serving: Serving, request: Json) -> Iterator[None]:
    """Ask, and hang up afterwards without having read an answer."""
    body = json.dumps(request).encode()
    lines = [
        "POST /v1/chat/completions HTTP/1.1",
        f"host: 127.0.0.1:{serving.port}",
        f"authorization: Bearer {serving.token}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    with socket.create_connection(("127.0.0.1", serving.port)) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        yield


def test_heartbeats_and_cuts_are_no_harm() -> None:
    """A quiet run over a bad connection: comments between the frames, seven bytes at a time."""
    stream = adapter.CompletionStream(STREAM)
    data = b"".join(map(stream.feed, recorded()["everything"]))
    answer = data.replace(b"\n\n", b"\n\n" + COMMENT)
    pieces = [answer[at : at + 7] for at in range(0, len(answer), 7)]

    def reply(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers=adapter.HEADERS, content=iter(pieces))

    transport = httpx2.Client(transport=httpx2.MockTransport(reply))
    with openai.OpenAI(base_url="http://localhost", api_key="key", http_client=transport) as client:
        (told,) = _told(client, [_ask("?", **STREAM)])
    whole = chat_message(data)
    message = whole["message"]
    said = {name: message[name] for name in ("content", "reasoning_content")}
    assert told == {**said, "finish": "stop", "usage": whole["usage"]}
    spec = {"url": "http://localhost", "token": "key", "requests": [_ask("?", **STREAM)]}
    assert node("openai_sdk.mjs", {**spec, "answer": answer.decode()}) == [told]


class Thing(BaseModel):
    name: str
    size: int


def test_the_helpers_of_the_sdk() -> None:
    """`parse` and `stream` check more than they must; both make a model of the object."""
    body = {**STREAM, "response_format": {"type": "json_schema", "json_schema": {"schema": {}}}}
    events = recorded()["object"]
    stream = adapter.CompletionStream(body)
    data = b"".join(map(stream.feed, events))
    _, whole = adapter.completion(events, body)

    def reply(request: httpx2.Request) -> httpx2.Response:
        if b'"stream":true' in request.content:
            return httpx2.Response(200, headers=adapter.HEADERS, content=data)
        return httpx2.Response(200, json=whole)

    transport = httpx2.Client(transport=httpx2.MockTransport(reply))
    asking: Json = {**_ask("?"), "response_format": Thing}
    with openai.OpenAI(base_url="http://localhost", api_key="key", http_client=transport) as client:
        parsed = client.chat.completions.parse(**asking)
        with client.chat.completions.stream(**asking) as growing:
            streamed = growing.get_final_completion()
    for answer in (parsed, streamed):
        assert answer.choices[0].message.parsed == Thing(name="b", size=3)
