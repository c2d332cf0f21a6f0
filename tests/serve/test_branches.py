"""An answer made anew, an earlier message edited: the model sees one branch."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.replies import bash, text
from .serving import Host, Serving


def message(role: str, said: str) -> dict[str, Any]:
    return {"id": f"m-{said}", "role": role, "parts": [{"type": "text", "text": said}]}


def ask(serving: Serving, *said: str, **more: Any) -> None:
    """Send a conversation as useChat does: the user's and the assistant's words in turn."""
    roles = ("user", "assistant")
    messages = [message(roles[number % 2], one) for number, one in enumerate(said)]
    body = {"id": "chat-1", "messages": messages, "trigger": "submit-message", **more}
    answer = serving.client.post("/api/ai-sdk", json=body)
    assert answer.status_code == 200 and answer.text.endswith("data: [DONE]\n\n"), answer.text


def seen(serving: Serving, number: int) -> list[tuple[str, str]]:
    """What the model was told in a request, but for the system prompt."""
    messages = serving.model.requests[number].body["messages"][1:]
    return [(one["role"], one["content"]) for one in messages if one.get("content")]


@pytest.fixture
def talked(host: Host) -> Serving:
    script = [text("one"), bash("true"), text("two"), text("three"), text("four")]
    serving = host.serve(script, "--allow", "bash")
    ask(serving, "a")
    ask(serving, "a", "one", "b")
    assert seen(serving, 2)[:3] == [("user", "a"), ("assistant", "one"), ("user", "b")]
    return serving


def test_the_last_answer_is_made_anew(talked: Serving) -> None:
    ask(talked, "a", "one", "b", trigger="regenerate-message", messageId="m-two")
    assert seen(talked, 3) == [("user", "a"), ("assistant", "one"), ("user", "b")]
    ask(talked, "a", "one", "b", "three", "c")
    assert seen(talked, 4) == [
        *(("user", "a"), ("assistant", "one"), ("user", "b"), ("assistant", "three"), ("user", "c"))
    ]


def test_the_first_answer_is_made_anew(talked: Serving) -> None:
    ask(talked, "a", trigger="regenerate-message", messageId="m-one")
    assert seen(talked, 3) == [("user", "a")]


def test_an_earlier_message_is_edited(talked: Serving) -> None:
    ask(talked, "a", "one", "B", messageId="m-b")
    assert seen(talked, 3) == [("user", "a"), ("assistant", "one"), ("user", "B")]
    ask(talked, "A", messageId="m-a")
    assert seen(talked, 4) == [("user", "A")]


def test_who_sends_only_the_last_message_goes_on(talked: Serving) -> None:
    ask(talked, "c")
    assert [role for role, _ in seen(talked, 3)].count("user") == 3


def test_the_branch_is_what_the_session_remembers(talked: Serving) -> None:
    ask(talked, "A", messageId="m-a")
    script = [text("later")]
    server = talked.run  # the server has let the session go when its run is over
    assert server.process.poll() is None and script
    ask(talked, "A", "three", "d")
    assert seen(talked, 4) == [("user", "A"), ("assistant", "three"), ("user", "d")]
