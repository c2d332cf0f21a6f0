"""Images and PDFs in the results of calls: on every wire, for models that see and that do not."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.files import PDF, PNG, TYPES, base64_of, data_url, facts
from ..support.replies import Reply, call, error, text
from ..support.run import Result
from .wired import run

SHOWN = f"shot.png is shown (image/png, {len(PNG)} bytes)."
BESIDE = "shot.png, which the call of read above has shown:"
PICTURE = {"type": "image_url", "image_url": {"url": data_url(PNG, "image/png")}}


def reading(wire: str, file: str = "shot.png") -> list[Reply]:
    """A model that reads a file and then answers."""
    asked = wires.call(wire, "read", {"file_path": file}, "c1")
    return [wires.reply(asked), wires.reply(wires.text(wire, "a dot"))]


def last_of(wire: str, result: Result, request: int = 1) -> Any:
    """What the last request tells behind the call."""
    body = result.requests[request].body
    if wire == "openai-responses":
        return body["input"][-1]
    if wire == "gemini":
        return body["contents"][-1]
    return body["messages"][2 if wire == "anthropic" else 3 :]


WITHIN = {
    "openai-chat": [
        {"role": "tool", "tool_call_id": "c1", "content": SHOWN},
        {"role": "user", "content": [{"type": "text", "text": BESIDE}, PICTURE]},
    ],
    "openai-responses": {
        "type": "function_call_output",
        "call_id": "c1",
        "output": [
            {"type": "input_text", "text": SHOWN},
            {"type": "input_image", "image_url": data_url(PNG, "image/png")},
        ],
    },
    "anthropic": [
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": [
                        {"type": "text", "text": SHOWN},
                        {
                            "type": "image",
                            "source": {
                                "type": "base64",
                                "media_type": "image/png",
                                "data": base64_of(PNG),
                            },
                        },
                    ],
                    "cache_control": {"type": "ephemeral"},
                }
            ],
        }
    ],
    "gemini": {
        "role": "user",
        "parts": [
            {
                "functionResponse": {
                    "name": "read",
                    "response": {"output": SHOWN},
                    "parts": [{"inlineData": {"mimeType": "image/png", "data": base64_of(PNG)}}],
                }
            }
        ],
    },
}


@pytest.mark.parametrize("wire", wires.NAMES)
def test_read_shows_an_image(a3s: Bench, wire: str) -> None:
    result = run(a3s, wire, reading(wire))
    assert result.last["type"] == "end"
    assert last_of(wire, result) == WITHIN[wire]
    (ended,) = [event for event in result.events if event["type"] == "tool_end"]
    assert ended["images"] == [facts("shot.png", "image/png", PNG)]
    assert (ended["toolOutput"], ended["exitCode"]) == (SHOWN, 0)


DOCUMENT = base64_of(PDF)
PAGES = {
    "openai-chat": {
        "type": "file",
        "file": {"filename": "paper.pdf", "file_data": data_url(PDF, "application/pdf")},
    },
    "openai-responses": {
        "type": "input_file",
        "filename": "paper.pdf",
        "file_data": data_url(PDF, "application/pdf"),
    },
    "anthropic": {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": DOCUMENT},
        "title": "paper.pdf",
    },
    "gemini": {"inlineData": {"mimeType": "application/pdf", "data": DOCUMENT}},
}


@pytest.mark.parametrize("wire", wires.NAMES)
def test_read_shows_a_pdf(a3s: Bench, wire: str) -> None:
    result = run(a3s, wire, reading(wire, "paper.pdf"))
    assert orjson.dumps(PAGES[wire]) in orjson.dumps(result.requests[1].body)


def test_an_older_gemini_gets_the_image_beside_the_result(a3s: Bench) -> None:
    result = run(a3s, "gemini", reading("gemini"), model="gemini-2.5-pro")
    response = {"name": "read", "response": {"output": SHOWN}}
    picture = {"inlineData": {"mimeType": "image/png", "data": base64_of(PNG)}}
    assert last_of("gemini", result)["parts"] == [
        {"functionResponse": response},
        {"text": BESIDE},
        picture,
    ]


def test_a_server_that_takes_images_in_results_gets_them_there(a3s: Bench) -> None:
    result = run(a3s, "openai-chat", reading("openai-chat"), more='tool_files = "inline"')
    told = [{"type": "text", "text": SHOWN}, PICTURE]
    assert last_of("openai-chat", result) == [
        {"role": "tool", "tool_call_id": "c1", "content": told}
    ]


def test_a_responses_server_that_takes_none_in_results_gets_them_behind(a3s: Bench) -> None:
    """It says so once, and the run goes on."""
    refusal = "Invalid type for 'input[2].output': expected a string, but got an array instead."
    wire = "openai-responses"
    asked, answer = reading(wire)
    script = [asked, error(400, {"error": {"message": refusal}}), answer]
    result = run(a3s, wire, script)
    assert result.last["type"] == "end"
    *_, output, follows = result.requests[2].body["input"]
    assert output == {"type": "function_call_output", "call_id": "c1", "output": SHOWN}
    picture = {"type": "input_image", "image_url": data_url(PNG, "image/png")}
    content = [{"type": "input_text", "text": BESIDE}, picture]
    assert follows == {"type": "message", "role": "user", "content": content}
    (notice,) = [event for event in result.events if event["type"] == "notice"]
    assert (notice["code"], notice["key"]) == ("field_refused", "tool_files")


@pytest.mark.parametrize("media_type", TYPES)
def test_types_are_told_by_content(a3s: Bench, media_type: str) -> None:
    (a3s.work / "data.txt").write_bytes(TYPES[media_type])
    result = a3s("run", "go", script=[call("read", {"file_path": "data.txt"}, "c1"), text("seen")])
    (ended,) = [event for event in result.events if event["type"] == "tool_end"]
    assert ended["images"] == [facts("data.txt", media_type, TYPES[media_type])]


def test_a_model_that_cannot_see_is_told_so(a3s: Bench) -> None:
    result = run(a3s, "openai-chat", reading("openai-chat"), more="attachment = false")
    (ended,) = [event for event in result.events if event["type"] == "tool_end"]
    said = f"shot.png is an image ({len(PNG)} bytes); this model cannot see it"
    assert (ended["toolOutput"], ended["exitCode"]) == (said, 1)
    assert "images" not in ended


def test_what_is_too_large_is_not_shown(a3s: Bench) -> None:
    (a3s.work / "large.png").write_bytes(PNG + bytes(1000))
    config = a3s.root / "limit.acl"
    config.write_text("max_attachment_bytes = 1000\n")
    result = a3s(
        "run", "go", "--config", str(config),
        script=[call("read", {"file_path": "large.png"}, "c1"), text("no")],
    )  # fmt: skip
    (ended,) = [event for event in result.events if event["type"] == "tool_end"]
    size = len(PNG) + 1000
    assert (
        ended["toolOutput"] == f"large.png is an image of {size} bytes; at most 1000 can be shown"
    )


NOT_SHOWN = f"{SHOWN}\n[shot.png (image/png, {len(PNG)} bytes) is not shown: %s]"


def test_an_image_that_the_provider_refuses_is_left_out(a3s: Bench) -> None:
    """The run goes on without it, and so does the session."""
    refusal = {"error": {"message": "Image input is not enabled for this model"}}
    asked, answer = reading("openai-chat")
    result = run(a3s, "openai-chat", [asked, error(400, refusal), answer])
    assert (result.last["type"], result.last["text"]) == ("end", "a dot")
    (retry,) = [event for event in result.events if event["type"] == "retry"]
    assert (retry["status"], retry["turn"], retry["delayMs"]) == (400, 2, 0)
    name = f"shot.png (image/png, {len(PNG)} bytes)"
    assert retry["reason"].endswith(f"; sending the conversation without {name}")
    told = NOT_SHOWN % "the provider refused it"
    tool = {"role": "tool", "tool_call_id": "c1", "content": told}
    assert last_of("openai-chat", result, 2) == [tool]
    again = run(a3s, "openai-chat", [text("yes")], "-c")
    assert tool in again.requests[0].body["messages"]
    assert "image_url" not in json.dumps(again.requests[0].body)


def test_the_next_model_of_a_session_need_not_see(a3s: Bench) -> None:
    run(a3s, "openai-chat", reading("openai-chat"))
    seen = run(a3s, "anthropic", [wires.reply(wires.text("anthropic", "yes"))], "-c")
    assert base64_of(PNG) in json.dumps(seen.requests[0].body)
    blind = run(a3s, "openai-chat", [text("yes")], "-c", more="attachment = false")
    told = NOT_SHOWN % "this model cannot see it"
    messages = blind.requests[0].body["messages"]
    assert {"role": "tool", "tool_call_id": "c1", "content": told} in messages
    assert "image_url" not in json.dumps(messages)


def test_a_kept_image_that_is_gone_is_a_notice(a3s: Bench) -> None:
    run(a3s, "openai-chat", reading("openai-chat"))
    digest = facts("", "", PNG)["sha256"]
    (kept,) = a3s.home.glob(f".local/state/a3s/sessions/*.d/{digest}")
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (PNG, 0o600)
    kept.write_bytes(b"another")
    again = run(a3s, "openai-chat", [text("yes")], "-c")
    assert again.last["type"] == "end"
    (notice,) = [event for event in again.events if event["type"] == "notice"]
    assert notice["code"] == "attachment_missing"
    assert "shot.png" in notice["text"] and notice["file"] == str(kept.parent)
    told = f"{SHOWN}\n[shot.png (image/png) is missing]"
    tool = {"role": "tool", "tool_call_id": "c1", "content": told}
    assert tool in again.requests[0].body["messages"]


def test_old_images_are_left_out_where_room_is_short(a3s: Bench) -> None:
    """The prompt's own stay; those of earlier prompts and of earlier calls go."""
    more = "limit = { context = 12000 output = 1000 }"
    run(a3s, "openai-chat", [text("one")], "-a", "shot.png", "-a", "paper.pdf", more=more)
    script = [text("two")]
    again = run(a3s, "openai-chat", script, "-c", "-a", "shot.png", more=more, prompt="x" * 9000)
    assert [e["code"] for e in again.events if e["type"] == "notice"] == ["compacted"]
    first, *_, last = [one for one in again.requests[0].body["messages"] if one["role"] == "user"]
    assert "was left out to save room" in json.dumps(first) and PICTURE in last["content"]
