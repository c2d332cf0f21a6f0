"""Files with a prompt over HTTP: the native API, `useChat`, and the OpenAI routes."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.files import PDF, PNG, base64_of, data_url, facts
from ..support.replies import text
from .serving import Host

URL, PAGES = data_url(PNG, "image/png"), data_url(PDF, "application/pdf")
PICTURE = {"type": "image_url", "image_url": {"url": URL}}


def pages(name: str) -> dict[str, Any]:
    return {"type": "file", "file": {"filename": name, "file_data": PAGES}}


def asked(host: Host, serving: Any) -> Any:
    return serving.model.requests[-1].body["messages"][-1]["content"]


def test_a_prompt_of_the_native_api(host: Host) -> None:
    serving = host.serve([text("a dot")])
    files = [{"name": "shot.png", "data": base64_of(PNG)}]
    events = serving.ask("look", attachments=files)
    assert events[0]["attachments"] == [facts("shot.png", "image/png", PNG)]
    assert asked(host, serving) == [PICTURE, {"type": "text", "text": "look"}]


def test_a_prompt_of_use_chat(host: Host) -> None:
    serving = host.serve([text("a dot")])
    parts = [
        {"type": "text", "text": "look"},
        {"type": "file", "mediaType": "image/png", "filename": "shot.png", "url": URL},
        {"type": "file", "mediaType": "application/pdf", "url": PAGES},
    ]
    body = {"id": "chat", "messages": [{"id": "m", "role": "user", "parts": parts}]}
    assert serving.client.post("/api/ai-sdk", json=body).status_code == 200
    assert asked(host, serving) == [
        PICTURE, pages("attachment"), {"type": "text", "text": "look"}
    ]  # fmt: skip


@pytest.mark.parametrize("named", [True, False])
def test_a_conversation_of_an_openai_client(host: Host, named: bool) -> None:
    """Where no session has them, the files of earlier messages come along, too."""
    serving = host.serve([text("a dot"), text("pages")])
    first = {"role": "user", "content": [{"type": "text", "text": "look"}, PICTURE]}
    more = {"sessionId": "chat"} if named else {}
    answer = serving.client.post("/v1/chat/completions", json={"messages": [first], **more})
    assert answer.json()["choices"][0]["message"]["content"] == "a dot"
    assert asked(host, serving) == [PICTURE, {"type": "text", "text": "look"}]
    said = {"role": "assistant", "content": "a dot"}
    second = {"role": "user", "content": [pages("a.pdf"), {"type": "text", "text": "and this?"}]}
    body = {"messages": [first, said, second], **more}
    assert serving.client.post("/v1/chat/completions", json=body).status_code == 200
    *files, words = asked(host, serving)
    assert files == ([pages("a.pdf")] if named else [PICTURE, pages("a.pdf")])
    assert words["text"].endswith("and this?")


def test_an_image_without_words(host: Host) -> None:
    serving = host.serve([text("a dot")])
    message = {"role": "user", "content": [PICTURE]}
    answer = serving.client.post("/v1/chat/completions", json={"messages": [message]})
    assert answer.status_code == 200
    assert asked(host, serving) == [PICTURE, {"type": "text", "text": "See the attachment."}]


def test_what_cannot_be_attached(host: Host) -> None:
    """It is refused before a run, and the session is free for the next prompt."""
    serving = host.serve([text("ok")])
    for files, why in (
        ([{"data": "%"}], "`attachments[0].data` is not base64"),
        ([{"path": "/etc/passwd"}], "is outside the workspace"),
        ([{"data": base64_of(b"\0\1")}], "is neither text nor"),
    ):
        body = {"message": "look", "sessionId": "mine", "attachments": files}
        refused = serving.client.post("/api/chat", json=body)
        assert refused.status_code == 400
        assert why in refused.json()["error"]["message"]
    assert serving.ask("go", sessionId="mine")[-1]["text"] == "ok"


def test_a_model_that_cannot_see(host: Host) -> None:
    serving = host.serve([], "-m", "openai/gpt-3.5-turbo")
    message = {"role": "user", "content": [{"type": "text", "text": "look"}, PICTURE]}
    refused = serving.client.post("/v1/chat/completions", json={"messages": [message]})
    assert refused.status_code == 400
    assert "cannot see images" in refused.json()["error"]["message"]
